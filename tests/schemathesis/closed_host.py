"""A check for runs without credentials against a host where everybody must sign in."""

import schemathesis

# They say nothing but that the process lives, which version it is, and what the API looks like.
OPEN = (
    "/healthz",
    "/api/health",
    "/api/version",
    "/openapi.json",
    "/openapi.yaml",
    "/docs",
    "/docs/start.js",
    "/docs/swagger-ui.css",
    "/docs/swagger-ui.js",
)


@schemathesis.check
def nothing_without_credentials(ctx, response, case):
    """Whatever is asked, and however: no success, and no word about what was asked, but "sign in"."""
    if case.operation.path in OPEN:
        return
    if response.status_code < 400:
        raise AssertionError(f"{response.status_code} without credentials")
    if response.status_code == 401 and "error" not in response.json():
        raise AssertionError("a 401 that says something else")
    if response.status_code not in (401, 403, 404, 405, 421) and not _is_malformed(response):
        raise AssertionError(f"{response.status_code} tells more than that one must sign in")


def _is_malformed(response):
    """What the edge refuses before it asks who it is: no path, no request."""
    return response.status_code in (400, 408, 413, 431)
