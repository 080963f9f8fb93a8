"""/static: style sheets, scripts, fonts. Under the address that a page gives they never change."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from mapservice.errors import Problem
from mapservice.responses import accepted_encodings, knows
from web.assets import find

router = APIRouter()

FOR_EVER = "public, max-age=31536000, immutable"
CODINGS = ("br", "gzip")
"""Best first."""


@router.get("/static/{path:path}", summary="Style sheets, scripts, fonts", include_in_schema=False)
async def static_file(request: Request, path: str) -> Response:
    """The file, compressed as the client can read it; to be kept for ever when the address has its mark."""
    asset = find(path)
    if asset is None:
        raise Problem("not_found")
    accepted = accepted_encodings(request.headers.get("accept-encoding", ""))
    coding = next((each for each in CODINGS if each in accepted and each in asset.encoded), None)
    current = request.query_params.get("v") == asset.version
    headers = {
        "Cache-Control": FOR_EVER if current else "no-cache",
        "ETag": f'"{asset.version}-{coding}"' if coding else f'"{asset.version}"',
        "Vary": "Accept-Encoding",
    }
    if knows(request.headers.get("if-none-match", ""), asset.version):
        return Response(status_code=304, headers=headers)
    if coding:
        return Response(asset.encoded[coding], 200, {**headers, "Content-Encoding": coding}, asset.content_type)
    return Response(asset.content, 200, headers, asset.content_type)
