"""The step that makes an object equal to its spec, and concurrent work in order."""

from __future__ import annotations

from typing import Any

import pytest

from jetstow import ObjectInfo, ObjectLink, ObjectMetaOptions
from jetstow._core.protocol.digest import format_digest
from jetstow._transfer.plan import ObjectSpec

DIGEST = format_digest(bytes(range(32)))


def info(**fields: Any) -> ObjectInfo:
    defaults: dict[str, Any] = {"size": 3, "digest": DIGEST}
    return ObjectInfo(name="a", bucket="b", nuid="n", **(defaults | fields))


def link_info(bucket: str, name: str | None = None) -> ObjectInfo:
    return info(size=0, digest=None, options=ObjectMetaOptions(link=ObjectLink(bucket, name)))


@pytest.mark.parametrize(
    ("existing", "step"),
    [
        pytest.param(None, "copy", id="missing"),
        pytest.param(info(), "skip", id="same"),
        pytest.param(info(digest=DIGEST.replace("SHA", "sha").rstrip("=")), "skip", id="spelling"),
        pytest.param(info(description="", headers={}, metadata={}), "skip", id="empty metadata"),
        pytest.param(info(options=ObjectMetaOptions(max_chunk_size=1)), "skip", id="chunk size"),
        pytest.param(info(size=4), "copy", id="different size"),
        pytest.param(info(digest=format_digest(bytes(32))), "copy", id="different digest"),
        pytest.param(info(digest=None), "copy", id="no digest"),
        pytest.param(link_info("b", "a"), "copy", id="a link"),
        pytest.param(info(description="d"), "update_meta", id="different description"),
        pytest.param(info(headers={"h": ["1"]}), "update_meta", id="different headers"),
        pytest.param(info(metadata={"k": "v"}), "update_meta", id="different metadata"),
    ],
)
def test_step_for_an_object(existing: ObjectInfo | None, step: str) -> None:
    assert ObjectSpec.from_info(info()).plan_step(existing) == step


def test_step_for_an_object_without_a_digest() -> None:
    assert ObjectSpec.from_info(info(digest=None)).plan_step(info(digest=None)) == "copy"


@pytest.mark.parametrize(
    ("existing", "step"),
    [
        pytest.param(None, "link", id="missing"),
        pytest.param(info(), "link", id="an object"),
        pytest.param(link_info("b", "other"), "link", id="different name"),
        pytest.param(link_info("c", "target"), "link", id="different bucket"),
        pytest.param(link_info("b"), "link", id="bucket link"),
        pytest.param(link_info("b", "target"), "skip", id="same"),
    ],
)
def test_step_for_a_link(existing: ObjectInfo | None, step: str) -> None:
    assert ObjectSpec.from_info(link_info("b", "target")).plan_step(existing) == step


def test_links_within_the_source_bucket_are_retargeted() -> None:
    inside = ObjectSpec.from_info(link_info("source", "a")).retarget_link("source", "target")
    outside = ObjectSpec.from_info(link_info("other", "a")).retarget_link("source", "target")
    assert inside.link == ObjectLink("target", "a")
    assert outside.link == ObjectLink("other", "a")
