from __future__ import annotations

import base64
import dataclasses

import pytest
from bs4 import BeautifulSoup

from retention_lab import checks
from retention_lab.reports import brand, catalogue, page

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 40
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>window.hacked = 1</script></svg>'


@pytest.fixture
def written(tmp_path):
    """Write a brand file, with a logo beside it."""

    def write(text, *, logo=None):
        for name, content in (logo or {}).items():
            (tmp_path / name).write_bytes(content)
        file = tmp_path / "brand.yml"
        file.write_text(text, encoding="utf-8")
        return brand.load(file)

    return write


def test_brand_is_read_with_its_logo_from_beside_it(written):
    made = written(
        "name: Northwind\naccent: '#7A2E6F'\nlogo: logo.svg\nfooter: Internal.\n",
        logo={"logo.svg": SVG},
    )
    assert (made.name, made.accent, made.footer) == ("Northwind", "#7a2e6f", "Internal.")
    head, _, content = made.logo.partition(",")
    assert head == "data:image/svg+xml;base64"
    assert base64.b64decode(content) == SVG


def test_brand_without_more_than_a_name_looks_as_ever(written):
    assert dataclasses.replace(written("name: Northwind"), name="") == brand.Brand()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("accent: '#7a2e6f'", "name is missing"),
        ("name: ''", "name: String should have at least 1 character"),
        ("name: N\nacent: '#7a2e6f'", "acent is not a setting. Did you mean 'accent'"),
        ("name: N\naccent: red", "accent: String should match pattern"),
        ("name: N\naccent: '#fff;}'", "accent: String should match pattern"),
        ("name: N\naccent: '#ffcc00'", "contrast of 1.4 with the ground"),
        ("name: N\nlogo: none.png", "none.png cannot be read: there is no such file"),
        ("name: N\nlogo: big.png", "has 50,001 bytes"),
        ("name: N\nlogo: words.png", "is no png picture"),
        ("name: N\nlogo: page.html", "must be a PNG, SVG or JPEG file"),
    ],
)
def test_brand_that_would_not_do_is_refused_in_a_sentence(written, text, words):
    logos = {
        "big.png": PNG.ljust(50_001, b"0"),
        "words.png": b"<html>",
        "page.html": b"<html>",
    }
    with pytest.raises(checks.BadParameter, match=words):
        written(text, logo=logos)


def test_missing_brand_file_is_refused(tmp_path):
    with pytest.raises(checks.BadParameter, match="there is no such file"):
        brand.load(tmp_path / "none.yml")


# The two ends of the scale by definition; #767676 is the lightest grey that W3C's technique G18
# lets pass on white.
@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [("#000000", "#ffffff", 21), ("#0b5a8a", "#0b5a8a", 1), ("#767676", "#ffffff", 4.54)],
)
def test_contrast_is_that_of_wcag(one, other, ratio):
    assert brand.contrast(one, other) == pytest.approx(ratio, abs=0.005)
    assert brand.contrast(other, one) == brand.contrast(one, other)


def test_ground_that_the_accent_is_held_against_is_that_of_the_style_sheet():
    css = page.assets.text("page.css")
    assert f"--tint: {brand.TINT};" in css
    assert f"--accent: {brand.Brand().accent};" in css


def test_page_and_catalogue_show_whose_they_are(notebook, facts):
    made = brand.Brand(
        name="North & <b>", accent="#7a2e6f", logo="data:image/png;base64,AA", footer="<i>Inside"
    )
    for html in (
        page.render(notebook, facts=dataclasses.replace(facts, brand=made)),
        catalogue.render([], brand=made),
    ):
        soup = BeautifulSoup(html, "html.parser")
        assert soup.select_one("header img")["alt"] == "North & <b>"
        assert soup.select_one("header img")["src"] == "data:image/png;base64,AA"
        assert "<i>Inside" in soup.footer.get_text()
        assert ":root { --accent: #7a2e6f; }" in html
        assert not soup.select("header b, footer i")
