"""What the page asks of the scorer's reports, and what it may not ask."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from email.message import Message
from pathlib import Path

import pytest

from harness.comfy_server import ComfyServer

EARLY, LATE = "2025-01-02 03-04-05 0123abcd", "2025-11-21 14-03-59 89abcdef"
REPORT = {
    "report.html": "<!doctype html><title>Ada</title>",
    "report.png": "picture",
    "score.csv": "condition\n",
}


def ask(server: ComfyServer, path: str) -> tuple[int, Message, bytes]:
    """Status, headers and body of the server's answer."""
    try:
        with urllib.request.urlopen(f"{server.address}{path}", timeout=120) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def reports(server: ComfyServer, folder: str) -> tuple[int, dict]:
    status, _, body = ask(server, f"/facet/reports?{urllib.parse.urlencode({'folder': folder})}")
    return status, json.loads(body)


@pytest.fixture(scope="module")
def character(server: ComfyServer) -> Path:
    """A character's folder with two reports in it, and the same outside of the output."""
    folder = server.output / "facet" / "Åda & co"
    secret = server.output.parent / "secret_reports"
    for place in (
        folder / "report",
        folder / "report" / EARLY,
        folder / "report" / LATE,
        folder / "report" / "pictures",
        folder / "shots",
        secret / "report",
    ):
        place.mkdir(parents=True)
        for name, text in REPORT.items():
            (place / name).write_text(text)
        (place / "score.json").write_text(json.dumps({"verdict": f"Of {place.name}."}))
        (place / "other.html").write_text("<script>alert(1)</script>")
    broken = folder / "report" / "2025-11-22 14-03-59 89abcdef"
    broken.mkdir()
    (broken / "score.json").write_text("{")
    (folder / "report" / "way_out").symlink_to(secret / "report")
    (server.output / "facet" / "Leading out").symlink_to(secret)
    return folder


@pytest.mark.parametrize("own", ["", f"{LATE}/", f"{EARLY}/"])
def test_a_report_opens_where_nothing_in_it_can_run(
    server: ComfyServer, character: Path, own: str
) -> None:
    path = urllib.parse.quote(f"/facet/report/Åda & co/{own}")
    status, headers, body = ask(server, f"{path}report.html")
    assert (status, body.decode()) == (200, REPORT["report.html"])
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["X-Content-Type-Options"] == "nosniff"
    policy = headers["Content-Security-Policy"].split("; ")
    assert "default-src 'none'" in policy and "img-src data:" in policy
    assert not any("script" in rule or "connect" in rule for rule in policy)
    assert "sandbox allow-downloads allow-same-origin" in policy
    for name, kind in (("score.json", "application/json"), ("score.csv", "text/csv")):
        status, headers, _ = ask(server, f"{path}{name}")
        assert status == 200 and headers["Content-Type"].startswith(kind)


@pytest.mark.parametrize(
    "path",
    [
        "Åda & co/other.html",
        f"Åda & co/{LATE}/other.html",
        "Åda & co/none/report.html",
        "Nobody/report.html",
        "Leading out/report.html",
        "Åda & co/way_out/report.html",
        "Åda & co/../report.html",
        "Åda & co%2F../report.html",
        "..%2F..%2Fsecret_reports/report.html",
        "Åda & co/..%2Fshots/report.html",
        f"Åda & co/{LATE}%2F..%2F..%2Fshots/report.html",
        "Åda & co/%00/report.html",
        "Åda & co/x/..%2F..%2Fshots%2Freport.html",
    ],
)
def test_no_other_file_is_given(server: ComfyServer, character: Path, path: str) -> None:
    quoted = urllib.parse.quote(f"/facet/report/{path}", safe="/%")
    status, _, body = ask(server, quoted)
    assert status == 404
    assert b"alert" not in body and b"Ada" not in body


def test_reports_are_listed_with_the_latest_first(server: ComfyServer, character: Path) -> None:
    status, answer = reports(server, f"facet/Åda & co/report/{EARLY}")
    assert status == 200
    assert answer["reports"] == [
        {
            "folder": f"facet/Åda & co/report/{LATE}",
            "made": "2025-11-21T14:03:59",
            "verdict": f"Of {LATE}.",
        },
        {
            "folder": f"facet/Åda & co/report/{EARLY}",
            "made": "2025-01-02T03:04:05",
            "verdict": f"Of {EARLY}.",
        },
    ]
    assert reports(server, "facet/Åda & co/report/gone") == (200, answer)


@pytest.mark.parametrize(
    "folder",
    ["", "facet", "facet/Åda & co", "facet/Åda & co/shots", "../secret_reports/report", "/etc",
     "facet/Leading out/report", "facet/../../secret_reports/report", "facet/A\0/report"],
)  # fmt: skip
def test_no_other_folder_is_listed(server: ComfyServer, character: Path, folder: str) -> None:
    status, answer = reports(server, folder)
    assert status == 404
    assert answer["error"].endswith(".")
