"""JSON and pages."""

blueprints = ()
