"""What is refused, and what every answer of the server says to browsers."""

import logging

import pytest

from study_visitor import ADMIN, Seen, browser_of
from xbench_study.pages.application import application
from xbench_study.pages.limits import Buckets, Limits, Rate
from xbench_study.pages.security import HEADERS

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&{{7*7}}"


def addresses(visitor):
    return ["/", visitor.home, f"{visitor.home}leave", f"{visitor.home}asset/0/1", "/erased"]


def test_every_answer_has_the_headers_of_a_closed_page(serving):
    visitor = serving(pages={"admin_token": ADMIN}).participant()
    for path in [*addresses(visitor), "/admin", "/static/style.css", "/nothing", "/p/x/"]:
        response = visitor.client.get(path)
        assert (
            HEADERS.items() <= dict(response.headers.items()).items()
            or {name: response.headers[name] for name in HEADERS} == HEADERS
        )
        stored = response.headers["cache-control"]
        assert (stored == "no-store") is (path != "/static/style.css"), path
        assert not {"etag", "last-modified", "set-cookie", "server"} & set(response.headers)
    policy = HEADERS["Content-Security-Policy"]
    assert "unsafe" not in policy
    for rule in ("default-src 'none'", "form-action 'self'", "frame-ancestors 'none'"):
        assert rule in policy
    assert HEADERS["Referrer-Policy"] == "no-referrer"


def test_no_page_has_a_script_a_style_or_a_handler_inside(serving):
    visitor = serving(training=1, practice=1, pages={"admin_token": ADMIN}).visitor().consent()
    pages = [visitor.get("/"), visitor.get("/admin"), visitor.get(visitor.home + "leave")]
    while (step := visitor.get()).forms:
        pages.append(step)
        visitor.answer() if step.forms[0].action.endswith("answer") else visitor.go_on()
    for seen in [*pages, step]:
        assert not {"script", "style", "iframe"} & {tag for tag, _ in seen.tags}
        names = {name for _, of in seen.tags for name in of}
        assert "style" not in names
        assert not [name for name in names if name.startswith("on")]


def test_everything_that_is_named_is_escaped(serving):
    texts = dict.fromkeys(("instructions", "debriefing", "checks", "answer_button"), HOSTILE)
    visitor = serving(
        question={"text": HOSTILE + " {label}", "unsure": HOSTILE},
        sheet={"purpose": HOSTILE, "storage": HOSTILE},
        texts=texts,
        captions={"image": HOSTILE},
        completion={"code": HOSTILE},
    ).visitor()
    bodies = [visitor.client.get("/").text]
    visitor.consent()
    while (seen := visitor.get()).forms:
        bodies.append(visitor.client.get(visitor.home).text)
        visitor.answer() if seen.forms[0].action.endswith("answer") else visitor.go_on()
    bodies.append(visitor.client.get(visitor.home).text)
    for body in bodies:
        assert "<script" not in body
        assert "<img src=x" not in body
        assert "&lt;script&gt;" in body
        assert "49" not in body.split("&lt;script")[1][:120]


def test_what_is_typed_is_escaped_or_refused(serving):
    visitor = serving().visitor()
    form = visitor.get("/").forms[0]
    response = visitor.post(form.action, {**form.hidden, "invitation": HOSTILE})
    assert response.status_code == 422
    assert "<script" not in response.text
    assert Seen(response.text).forms[0].hidden["invitation"] == HOSTILE
    assert HOSTILE not in visitor.client.get("/", params={"at": HOSTILE, "kept": HOSTILE}).text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "http://testserver.evil.example"}, 403),
        ({"origin": "null", "sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "http://testserver", "sec-fetch-site": "same-origin"}, 303),
        ({"origin": "null", "sec-fetch-site": "same-origin"}, 303),
        ({}, 303),
    ],
)
def test_forms_of_other_sites_are_refused(serving, headers, status):
    served = serving()
    visitor = served.participant()
    form = visitor.get().forms[0]
    fields = {**form.hidden, "choice": form.choices[0][1]}
    response = visitor.client.post(form.action, data=fields, headers=headers)
    assert response.status_code == status
    assert served.count("answers") == (status == 303)
    for path in ("consent", visitor.home + "go-on", visitor.home + "leave"):
        other = visitor.client.post(path, data={}, headers={"origin": "https://evil.example"})
        assert other.status_code == 403


def test_nobody_answers_for_another(serving):
    served = serving()
    first, second = served.participant(), served.participant()
    mine, theirs = first.get().forms[0], second.get().forms[0]
    keys = [value for _, value in theirs.choices]
    for nonce in (mine.hidden["nonce"], "", "0" * 32, "ü"):
        fields = {"nonce": nonce, "position": "0", "choice": keys[0]}
        refused = second.post(theirs.action, fields)
        assert refused.status_code == 403
        assert second.home in Seen(refused.text).links
    assert (
        first.post("/p/made-up-token/answer", mine.hidden | {"choice": keys[0]}).status_code == 404
    )
    assert served.count("answers") == 0


def test_answers_to_no_question_are_refused(serving):
    served = serving()
    visitor = served.participant()
    form = visitor.get().forms[0]
    hidden = form.hidden
    other = next(key for key in served.study.items if key not in form.choices)
    for fields, status in (
        ({**hidden, "choice": other}, 403),
        ({**hidden, "choice": "unsure"}, 403),
        ({**hidden, "position": "-1", "choice": form.choices[0][1]}, 400),
        ({**hidden, "position": ["0", "0"], "choice": form.choices[0][1]}, 400),
        ({**hidden, "position": "9" * 40, "choice": form.choices[0][1]}, 400),
        ({**hidden, "position": "3", "choice": form.choices[0][1]}, 403),
    ):
        assert visitor.post(form.action, fields).status_code == status, fields
    assert served.count("answers") == 0


def test_bodies_have_a_size(serving):
    visitor = serving().participant()
    path = visitor.home + "answer"
    form = {"content-type": "application/x-www-form-urlencoded"}
    big = b"choice=" + b"x" * 70_000
    assert visitor.client.post(path, content=big, headers=form).status_code == 413
    pieces = (big[start : start + 1000] for start in range(0, len(big), 1000))
    assert visitor.client.post(path, content=pieces, headers=form).status_code == 413
    many = "&".join(f"a{number}=1" for number in range(600))
    assert visitor.client.post(path, content=many, headers=form).status_code == 400
    for size in ("x", "-1", "9" * 30):
        headers = {**form, "content-length": size}
        assert visitor.client.post(path, content=b"", headers=headers).status_code in (400, 413)


def test_only_forms_are_read(serving):
    visitor = serving().participant()
    path = visitor.home + "answer"
    assert visitor.client.post(path, json={"nonce": "x"}).status_code == 400
    assert visitor.client.post(path, files={"choice": b"x"}).status_code == 400
    bad = {"content-type": "application/x-www-form-urlencoded"}
    assert visitor.client.post(path, content=b"\xff\xfe%zz=%", headers=bad).status_code == 400


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_are_refused(serving, method):
    visitor = serving().participant()
    for path in addresses(visitor):
        assert visitor.client.request(method, path).status_code == 405
    assert visitor.client.head(visitor.home).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "static/../application.py",
        "static/%2e%2e/application.py",
        "static/style.css%00.py",
        "p/{token}/asset/0/../../../../key.json",
        "p/{token}/asset/0/%2e%2e%2fkey.json",
        "p/{token}/asset/0/..%5ckey.json",
        "p/{token}/asset/0/-1",
        "p/{token}/asset/-1/1",
        "p/{token}/asset/0/0",
        "p/{token}/asset/0/99999999999999999999",
        "p/..%2f..%2fkey.json/",
        "key.json",
        "items.json",
        "answers.sqlite",
        "admin",
        "preview/",
    ],
)
def test_no_path_leads_out_of_the_pages(serving, path):
    visitor = serving().participant()
    token = visitor.home.split("/")[2]
    response = visitor.client.get("/" + path.format(token=token))
    assert response.status_code in (400, 404)
    assert "secret" not in response.text


def test_floods_are_refused_and_pass(serving):
    limits = Limits(Rate(8, 1), Rate(2, 0.1), Rate(6, 1), Rate(3, 0.01))
    served = serving(pages={"limits": limits, "admin_token": ADMIN})
    first, second = served.visitor().consent(), served.visitor().consent()
    form = first.get("/").forms[0]
    late = first.post(form.action, {**form.hidden, "consent": "yes", "age": "yes"})
    assert late.status_code == 429
    assert served.count("participants") == 2
    statuses = [first.client.get(first.home).status_code for _ in range(12)]
    assert statuses == [200] * 8 + [429] * 4
    assert second.client.get(second.home).status_code == 200
    served.clock.now += 2
    assert [first.client.get(first.home).status_code for _ in range(3)] == [200, 200, 429]
    tries = [first.post("/admin", {"token": "x"}).status_code for _ in range(5)]
    assert tries == [403] * 3 + [429] * 2
    assert first.post("/admin", {"token": ADMIN}).status_code == 429
    assert {first.client.get("/").status_code for _ in range(10)} == {200, 429}


def test_buckets_forget_whom_they_have_not_seen_for_long(monkeypatch):
    monkeypatch.setattr("xbench_study.pages.limits.MOST_BUCKETS", 3)
    buckets = Buckets(Rate(1, 0), lambda: 0.0)
    assert [buckets.take(key) for key in "aabcda"] == [True, False, True, True, True, True]
    assert len(buckets._levels) == 3


def test_an_error_has_a_page_without_a_trace(serving, monkeypatch, caplog):
    served = serving()
    visitor = served.participant()

    def broken(*given):
        raise RuntimeError("the password is hidden-in-the-error")

    monkeypatch.setattr(type(served.book), "step", broken)
    response = visitor.client.get(visitor.home)
    assert response.status_code == 500
    assert response.headers["content-security-policy"]
    assert "Something went wrong here" in response.text
    assert "hidden-in-the-error" not in response.text
    assert "Traceback" not in response.text
    assert "an error while a page was made" in caplog.text
    assert visitor.home.split("/")[2] not in caplog.text


def test_no_token_is_logged(serving, caplog):
    caplog.set_level(logging.DEBUG)
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    served = serving(pages={"admin_token": ADMIN})
    visitor = served.participant("/?workerId=worker-of-a-platform")
    visitor.take()
    visitor.post("/admin", {"token": ADMIN})
    visitor.post("/admin", {"token": "wrong-token"})
    ours = [of.getMessage() for of in caplog.records if not of.name.startswith("httpx")]
    for secret in (ADMIN, "wrong-token", visitor.home.split("/")[2], "worker-of-a-platform"):
        assert not [line for line in ours if secret in line]


def test_the_limits_of_a_study_are_its_own(serving):
    served = serving()
    one = browser_of(application(served.study, served.book, limits=Limits(visits=Rate(1, 0))))
    two = browser_of(application(served.study, served.book))
    assert [one.get("/").status_code for _ in range(2)] == [200, 429]
    assert two.get("/").status_code == 200
