"""The edge: JSON under /v1 for programs, pages for people, both for the same nouns. It translates and decides nothing."""

from . import campaigns, comments, contributions, enrolments, launches, openapi, pledges, sessions, static, votes

blueprints = (
    campaigns.bp,
    comments.bp,
    contributions.bp,
    enrolments.bp,
    launches.bp,
    openapi.bp,
    pledges.bp,
    sessions.bp,
    static.bp,
    votes.bp,
)
