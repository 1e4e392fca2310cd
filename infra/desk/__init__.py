"""The local desk: what the stand-in networks received, the e-mails that were sent, access tokens, and a control API."""
