"""Partners with their logos."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from chalice.test import Client

from chalicelib import campaigns
from chalicelib.campaigns import Campaign
from tests.web.browser import Browser, Program
from tests.web.conftest import API, HERE

PARTNERS = f"{HERE}/organise/partners"
SVG = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (40).to_bytes(4, "big") + (30).to_bytes(4, "big")).decode()
LOGO = f"{HERE}/partners/nursing-times/logo.svg"


@pytest.fixture
def olive_program(client: Client, olive: Browser) -> Program:
    return Program(client, olive.cookies["gs_session"])


def add(olive: Browser, **typed: str) -> Any:
    olive.get(PARTNERS)
    return olive.send("/partners", **{"name": "Nursing Times", "link": "https://nt.example", "image": SVG} | typed)


def test_organiser_adds_a_partner_whose_logo_everybody_sees(olive: Browser, browser: Browser) -> None:
    assert add(olive).status == 200

    page = browser.get(f"{HERE}/about")
    assert f'src="{LOGO}"' in page.html
    assert "https://nt.example" in page.read.links
    assert browser.get(LOGO).html == SVG


def test_logo_can_neither_run_nor_load_anything(olive: Browser, browser: Browser) -> None:
    add(olive)
    headers = browser.get(LOGO).response.headers

    assert headers["Content-Type"] == "image/svg+xml"
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none';")
    assert "sandbox" in policy
    assert "script" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_partner_typed_in_twice_is_one(olive: Browser, campaign: Campaign) -> None:
    add(olive)
    add(olive)
    add(olive, name="Nursing times", image="")

    assert [one["id"] for one in campaigns.get(campaign.slug, consistent=True).partners] == ["nursing-times", "nursing-times-2"]


def test_partner_is_changed_and_keeps_the_logo(olive: Browser, browser: Browser, campaign: Campaign) -> None:
    add(olive)
    olive.get(f"{PARTNERS}/nursing-times")
    page = olive.send("/nursing-times", name="NT", link="", image="")

    assert "NT" in page.text
    assert campaigns.get(campaign.slug, consistent=True).partners == [{"id": "nursing-times", "name": "NT", "link": ""}]
    assert browser.get(LOGO).status == 200


def test_partner_is_removed_with_the_logo(olive: Browser, browser: Browser) -> None:
    add(olive)
    olive.get(f"{PARTNERS}/nursing-times")
    page = olive.send("/remove")

    assert "None yet." in page.text
    assert browser.get(LOGO).status == 404
    assert olive.get(f"{PARTNERS}/nursing-times").status == 404


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"name": " "}, "name"),
        ({"link": "http://nt.example"}, "link"),
        ({"link": "javascript:alert(1)"}, "link"),
        ({"image": "logo"}, "image"),
    ],
)
def test_refused_partner_is_kept_and_not_half_saved(olive: Browser, campaign: Campaign, typed: dict[str, str], field: str) -> None:
    page = add(olive, **typed)

    assert page.status == 400
    assert f"#{field}" in page.read.links
    kept = page.form("/partners").fields
    assert all(kept[name] == value for name, value in typed.items())
    assert kept["image"] == typed.get("image", SVG)
    assert campaigns.get(campaign.slug, consistent=True).partners == []


def test_refused_change_of_a_partner_is_kept(olive: Browser) -> None:
    add(olive)
    olive.get(f"{PARTNERS}/nursing-times")
    page = olive.send("/nursing-times", name="")

    assert page.status == 400
    assert page.form("/nursing-times").fields["link"] == "https://nt.example"


def test_logo_as_json(olive_program: Program, browser: Browser) -> None:
    olive_program.ask("PATCH", API, {"partners": [{"name": "Nursing Times"}]})
    olive_program.ask("PUT", f"{API}/partners/nursing-times/logo", {"image": f"data:image/png;base64,{PNG}"})
    assert olive_program.status == 204
    assert olive_program.ask("GET", API)["partners"][0]["logo"] == LOGO
    assert PNG in browser.get(LOGO).html

    for _ in range(2):
        olive_program.ask("DELETE", f"{API}/partners/nursing-times/logo")
        assert olive_program.status == 204
    assert olive_program.ask("GET", API)["partners"][0]["logo"] is None
    assert olive_program.refused("PUT", f"{API}/partners/nobody/logo", {"image": SVG})[0] == 404
    assert olive_program.refused("PUT", f"{API}/partners/nursing-times/logo", {"image": "x"})[2].keys() == {"image"}


def test_participant_cannot_set_a_logo(ann_program: Program) -> None:
    assert ann_program.refused("PUT", f"{API}/partners/nt/logo", {"image": SVG})[:2] == (403, "not_organiser")
    assert ann_program.refused("DELETE", f"{API}/partners/nt/logo")[:2] == (403, "not_organiser")
