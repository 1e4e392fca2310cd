"""Models that share a table share what is known of it."""

from __future__ import annotations

import pytest
from pynamodb.connection import Connection

from chalicelib import store
from chalicelib.launches import Launch
from chalicelib.supporters import Count


@pytest.mark.parametrize("models", [(Launch, Count), (Count, Launch)], ids=["index first", "index last"])
def test_index_is_known_whichever_model_of_the_table_comes_first(
    models: tuple[type[store.Record], ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that had counted before it looked for launches found no index."""
    fresh = Connection(region="eu-west-2")
    monkeypatch.setattr(store, "connection", lambda: fresh)
    for model in models:
        monkeypatch.setattr(model, "_connection", None)
        model._get_connection()

    assert fresh.get_meta_table("groundswell-local-launches").has_index_name("active")
