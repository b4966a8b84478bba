"""What must not be told before the answer is stored is not told."""

import hashlib
import io
import re
from dataclasses import replace

import pytest
from PIL import Image, PngImagePlugin

from study_visitor import browser_of
from xbench_study.answers.steps import Step
from xbench_study.pages.assets import bare
from xbench_study.pages.participant import Kept
from xbench_study.pages.rendering import page
from xbench_study.pages.showing import trial


def pictures(visitor):
    return [visitor.client.get(of["src"]).content for of in visitor.get().images]


def both(serving, **tables):
    """Participants of both conditions, at their first trial."""
    served = serving(**tables)
    found = {}
    while len(found) < 2:
        visitor = served.participant()
        token = visitor.home.split("/")[2]
        found[served.book.step(token, served.clock.now).condition] = visitor
    return served, found


def test_pictures_have_numbers_for_names_and_neutral_texts(serving):
    _, people = both(serving)
    for condition, count in (("with", 2), ("without", 1)):
        visitor = people[condition]
        images = visitor.get().images
        assert [of["src"] for of in images] == [
            f"{visitor.home}asset/0/{number}" for number in range(1, count + 1)
        ]
        assert [of["alt"] for of in images] == [f"Picture {n}" for n in range(1, count + 1)]
        assert all(set(of) == {"src", "alt"} for of in images)


def test_only_pictures_of_the_own_step_and_condition_are_sent(serving):
    served, people = both(serving)
    visitor = people["without"]
    step = served.book.step(visitor.home.split("/")[2], served.clock.now)
    files = {s.name: served.study.asset(s.asset) for s in served.study.items[step.item].stimuli}
    assert pictures(visitor) == [bare(files["image"].read_bytes())]
    for path in ("asset/0/2", "asset/1/1", "asset/0/3"):
        assert visitor.client.get(visitor.home + path).status_code == 404
    old = visitor.get().images[0]["src"]
    visitor.answer()
    assert visitor.client.get(old).status_code == 404
    assert pictures(visitor)
    fresh = served.visitor().consent()
    assert fresh.client.get(fresh.home + "asset/0/1").status_code == 404


def test_pictures_are_sent_without_metadata_or_times(serving):
    served, people = both(serving)
    for item in served.study.items.values():
        for stimulus in item.stimuli:
            path = served.study.asset(stimulus.asset)
            facts = PngImagePlugin.PngInfo()
            facts.add_text("predicted", "class 0")
            Image.open(path).save(path, pnginfo=facts, dpi=(300, 300))
            assert b"predicted" in path.read_bytes()
    visitor = people["with"]
    for of in visitor.get().images:
        response = visitor.client.get(of["src"])
        assert b"predicted" not in response.content
        assert not Image.open(io.BytesIO(response.content)).info
        assert not {"last-modified", "etag", "content-disposition"} & set(response.headers)


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n\0\0"])
def test_what_is_no_picture_is_not_sent(content):
    with pytest.raises(ValueError, match="PNG"):
        bare(content)


def page_of(study, item, condition):
    """An item's page before it is answered, for a fixed order of options."""
    options = tuple(option.key for option in item.options)
    step = Step("trial", condition, item.key, 0, 4, options, nonce="n")
    shown = trial(study, step, "asset/")
    values = {"trial": shown, "kind": item.kind, "step": step, "degrees": [], "root": ""}
    return page("trial", study.description, kept=Kept(), **values).body


def test_nothing_on_a_page_depends_on_which_option_is_right(serving):
    """The same study with other answers in its key shows byte for byte the same pages."""
    study = serving(checks=1, training=1, practice=1).study
    other = {
        key: secret.model_copy(update={"right": [study.items[key].options[3].key]})
        for key, secret in study.secrets.items()
    }
    changed = replace(study, secrets=other)
    for item in study.items.values():
        for condition in ("with", "without"):
            same = page_of(study, item, condition) == page_of(changed, item, condition)
            assert same is (item.kind != "training")


def test_right_and_wrong_answers_are_answered_alike(serving):
    """Of checks and trials; what comes next is the same whatever was chosen."""
    served = serving(checks=2, checks_table={"every": 1})
    right = {key for secret in served.study.secrets.values() for key in secret.right}
    responses = []
    for wanted in (True, False):
        visitor = served.participant()
        seen = []
        while (form := visitor.get().forms) and form[0].action.endswith("answer"):
            choice = next(pair for pair in form[0].choices if (pair[1] in right) is wanted)
            visitor.clock.now += 2
            response = visitor.send(form[0], choice)
            location = response.headers["location"].replace(visitor.home, "HOME")
            lengths = {k: v for k, v in response.headers.items() if k != "location"}
            seen.append((response.status_code, location, response.content, tuple(lengths.items())))
        responses.append(seen)
    assert responses[0] == responses[1]
    assert len(responses[0]) > 4


def test_checks_look_like_trials(serving):
    served = serving(checks=1, checks_table={"every": 1})
    visitor = served.participant()
    shapes = []
    for _ in range(2):
        text = visitor.client.get(visitor.home).text
        text = re.sub(r"[0-9a-f]{16,64}", "KEY", text).replace(visitor.home, "HOME")
        text = re.sub(r"Question \d of|asset/\d|value=\"\d\"|class \d", "", text)
        shapes.append(text)
        visitor.answer()
    assert shapes[0] == shapes[1]


def test_orders_of_options_differ_between_participants_and_not_by_what_is_right(serving):
    served = serving(items=1, assignment={"trials": 1, "answers": 100}, conditions=["only"])
    right = {key for secret in served.study.secrets.values() for key in secret.right}
    places = []
    for _ in range(80):  # orders are drawn: one place stays empty once in ten million times
        keys = [key for _, key in served.participant().get().forms[0].choices]
        places.append(next(place for place, key in enumerate(keys) if key in right))
    assert set(places) == set(range(5))


def test_values_and_names_tell_nothing_of_classes(serving):
    served = serving()
    visitor = served.participant()
    text = visitor.client.get(visitor.home).text
    for secret in served.study.secrets.values():
        assert str(secret.image) not in re.sub(r"[0-9a-f]{16,}|[\w-]{43}", "", text)
        assert secret.category not in text
    assert served.study.secret not in text
    keys = [key for _, key in visitor.get().forms[0].choices]
    assert all(re.fullmatch("[0-9a-f]{16}", key) for key in keys)


def test_the_key_and_the_files_are_not_served(serving):
    served = serving()
    client = browser_of(served.app)
    names = [path.name for path in served.study.folder.rglob("*") if path.is_file()]
    assert "key.json" in names
    for name in names:
        for path in (f"/{name}", f"/assets/{name}", f"/static/{name}"):
            assert client.get(path).status_code == 404


def test_the_digest_of_a_picture_is_no_name(serving):
    served, people = both(serving)
    text = people["with"].client.get(people["with"].home).text
    for path in (served.study.folder / "assets").iterdir():
        assert path.stem not in text
        assert hashlib.sha256(path.read_bytes()).hexdigest()[:16] not in text
