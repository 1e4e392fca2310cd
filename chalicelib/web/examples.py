"""What the contract shows as examples: of a path's parameter, by the segment before it, and of a body, by its Struct. Tests
send them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CONTRIBUTION, COMMENT = "1-01kjt0v7c0ta5w6m4xq9e2rzbn", "01kjt1a2b3c4d5e6f7g8h9j0km"
SERVER, PERMISSION = "mastodon.example", "paste-the-access-token-here"
FLOW, CODE = "pOm2SJlyyLxYy5dJ6oAyYwQ5rQY0mQ5n0p4m3o4F0xk", "123456"

# segment: (what it is, an example)
PATHS: Mapping[str, tuple[str, str]] = {
    "campaigns": ("The campaign's name in addresses.", "change-challenge"),
    "contributions": ("The contribution's id.", CONTRIBUTION),
    "comments": ("The comment's id.", COMMENT),
    "answers": ("The framework entry's id.", "playing-it-safe"),
    "framework": ("The framework entry's id.", "playing-it-safe"),
    "partners": ("The partner's id.", "trust"),
    "team": ("The member's id.", "92302d683adebd11e2ed"),
    "pledges": ("The id of the draft, the pledge or the reminder.", "01kjt2n3p4q5r6s7t8v9w0x1yz"),
}

_PHASE: Mapping[str, Any] = {
    "title": "What gets in the way?",
    "opens_at": "2027-01-08T09:00:00+00:00",
    "closes_at": "2027-01-23T09:00:00+00:00",
    "kinds": ["barrier", "building-block", "solution"],
}

BODIES: Mapping[str, Mapping[str, Any]] = {
    "Ask": {"email": "ann@example.org"},
    "Verify": {"flow": FLOW, "code": CODE},
    "NewCampaign": {
        "slug": "new-campaign",
        "title": "Change Challenge",
        "question": "What stops good ideas from the ground up?",
        "phases": [_PHASE],
        "minimum_age": 16,
        "tags": ["rotas"],
        "controllers": [{"name": "Example Trust", "contact": "data@example.org"}],
    },
    "CampaignChanges": {"question": "What stops good ideas?", "contact": "hello@example.org"},
    "Join": {"role": "staff", "of_age": True},
    "NewContribution": {
        "kind": "barrier",
        "title": "Rotas come late",
        "text": "We hear on Friday when we work on Monday.",
        "tags": ["rotas"],
        "choices": {"where": "within"},
    },
    "ChangedContribution": {"title": "Rotas come too late"},
    "NewComment": {"text": "The same on our ward.", "parent": None},
    "NewVote": {"value": 1},
    "NewFlag": {"target": CONTRIBUTION, "reason": "off-topic", "note": ""},
    "NewDecision": {"target": CONTRIBUTION, "action": "hide", "reason": "identifies", "note": "It names a patient."},
    "NewEntry": {"kind": "barrier", "title": "Playing it safe", "text": "Nobody dares."},
    "Logo": {"image": '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"></svg>'},
    "Invitation": {"email": "ben@example.org", "duties": ["moderator"]},
    "Proposal": {
        "message": "Change starts with the people who do the work.",
        "url": "https://change.example.org/solutions",
        "at": "2027-01-09T09:30:00+00:00",
        "zone": "Europe/London",
        "closes_at": "2027-01-09T09:20:00+00:00",
        "goal": 1,
        "networks": ["mastodon"],
    },
    "Stop": {"network": "mastodon"},
    "Postponement": {"at": "2027-01-09T10:00:00+00:00", "zone": "Europe/London", "closes_at": "2027-01-09T09:40:00+00:00"},
    "NewPledge": {"network": "mastodon", "mode": "automatic", "server": SERVER, "text": "I lend my voice.", "email": None},
    "NewWords": {"text": "I lend my own voice.", "agree": True},
    "Consent": {"token": PERMISSION, "email": None},
    "Rehearse": {"do": "probe"},
    "Nothing": {},
    "Opening": {},
    "Done": {},
}
