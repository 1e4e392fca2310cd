"""Everything that can wake Groundswell, from top to bottom. Bodies are a late import and a call."""

from __future__ import annotations

from typing import Any

from chalice import Chalice, Cron, Rate

from chalicelib import settings, web

app = Chalice(app_name=settings.APP)
for blueprint in web.blueprints:
    app.register_blueprint(blueprint)


@app.middleware("http")
def problems(event: Any, get_response: Any) -> Any:
    from chalicelib.web import routes

    return routes.problems(event, get_response)


@app.schedule(Rate(1, unit=Rate.MINUTES), name="fan_out")
def fan_out(event: Any) -> None:
    from chalicelib import clock, fan_out

    fan_out.run(clock.utc_now())


@app.on_sqs_message(queue=settings.queue("chunks"), batch_size=1, maximum_concurrency=900, name="release")
def release(event: Any) -> None:
    from chalicelib import release

    [release.handle(record.body) for record in event]


@app.on_dynamodb_record(
    stream_arn=settings.stream_arn("votes"),
    batch_size=100,
    starting_position="TRIM_HORIZON",
    maximum_batching_window_in_seconds=2,
    name="tally",
)
def tally(event: Any) -> None:
    from chalicelib import tallies

    tallies.recount_touched(record.keys["pk"]["S"] for record in event)


@app.on_dynamodb_record(
    stream_arn=settings.stream_arn("contributions"),
    batch_size=100,
    starting_position="TRIM_HORIZON",
    maximum_batching_window_in_seconds=5,
    name="board",
)
def board(event: Any) -> None:
    from chalicelib import board

    board.refresh((record.keys["pk"]["S"], record.keys["sk"]["S"]) for record in event)


@app.on_dynamodb_record(
    stream_arn=settings.stream_arn("pledges"),
    batch_size=100,
    starting_position="TRIM_HORIZON",
    maximum_batching_window_in_seconds=2,
    name="counts",
)
def counts(event: Any) -> None:
    from chalicelib import counts

    counts.recount(record.keys["pk"]["S"] for record in event)


@app.on_sqs_message(queue=settings.queue("mail"), batch_size=1, maximum_concurrency=2, name="mail")
def mail(event: Any) -> None:
    from chalicelib import mail

    [mail.deliver(record.body) for record in event]


@app.schedule(Cron(0, 3, "*", "*", "?", "*"), name="nightly")
def nightly(event: Any) -> None:
    from chalicelib import nightly

    nightly.run()
