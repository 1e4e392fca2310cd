"""Where a stage's site answers."""

from __future__ import annotations

import json

from infra import deployed, finish, stack
from infra.embedded import server


def url(stage: str) -> str:
    """The site's address, with a slash at its end: the custom domain where the stage has one."""
    config = stack.stage_config(stage)
    domain = config.get("api_gateway_custom_domain")
    if domain:
        return f"https://{domain['domain_name']}/"
    name = config["api_gateway_stage"]
    if stage == "local":
        return f"http://{finish.api_id(stage)}.execute-api.localhost:{server.PORT}/{name}/"
    for resource in json.loads(deployed.path(stage).read_text())["resources"]:
        if resource["resource_type"] == "rest_api":
            return str(resource["rest_api_url"])
    return ""
