"""The website configuration of a bucket: documents, redirects, routing rules."""

from __future__ import annotations

import re
from typing import Final, Literal

import msgspec

from jetstow.s3.buckets import BucketState
from jetstow.s3.errors import S3Error
from jetstow.s3.json_settings import load_setting
from jetstow.s3.reserved import WEBSITE
from jetstow.s3.xml.parsing import Node, parse_xml
from jetstow.s3.xml.writing import document, element, text

# S3's limit.
_MAX_RULES: Final = 50
_HOST: Final = re.compile(r"[A-Za-z0-9.-]+(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?")
_REDIRECT_CODE: Final = re.compile(r"30[1-8]")
_ERROR_CODE: Final = re.compile(r"[45]\d\d")

Protocol = Literal["http", "https"]


class Redirect(msgspec.Struct, frozen=True):
    """Where a request is sent. Without a host or a protocol, those of the request count.

    `key` replaces the whole key, `prefix` the prefix of the rule's condition.
    """

    host: str | None = None
    protocol: Protocol | None = None
    key: str | None = None
    prefix: str | None = None
    code: int = 301

    def __post_init__(self) -> None:
        """Refuse what `parse_website` refuses: other NATS clients can write settings, too."""
        if self.host is not None and not _HOST.fullmatch(self.host):
            raise ValueError("the host of a redirect is not valid")
        if not _REDIRECT_CODE.fullmatch(str(self.code)):
            raise ValueError("the code of a redirect is not valid")


class RoutingRule(msgspec.Struct, frozen=True):
    """A redirect for the keys with a prefix, or with an error code for what has that error."""

    redirect: Redirect
    prefix: str = ""
    error_code: int | None = None


class Website(msgspec.Struct, frozen=True):
    """The website of a bucket. With `redirect_all`, it has no documents and no rules."""

    index: str = ""
    error: str | None = None
    rules: tuple[RoutingRule, ...] = ()
    redirect_all: Redirect | None = None

    def redirect(self, key: str, error_code: int | None = None) -> tuple[Redirect, str] | None:
        """Return the redirect for a key, or for an error, and the prefix that it replaces."""
        for rule in self.rules:
            if rule.error_code == error_code and key.startswith(rule.prefix):
                return rule.redirect, rule.prefix
        return None


def parse_website(data: bytes) -> Website:
    """Parse a WebsiteConfiguration document.

    Raises: `S3Error` (MalformedXML, InvalidArgument, InvalidRequest).
    """
    root = parse_xml(data, "WebsiteConfiguration")
    parts = _fields(root, "RedirectAllRequestsTo", "IndexDocument", "ErrorDocument", "RoutingRules")
    if "RedirectAllRequestsTo" in parts:
        if len(parts) > 1:
            message = "RedirectAllRequestsTo cannot be provided in conjunction with other fields."
            raise S3Error("InvalidRequest", message)
        target = _texts(parts["RedirectAllRequestsTo"], "HostName", "Protocol")
        if "HostName" not in target:
            raise S3Error("MalformedXML")
        return Website(redirect_all=_parse_redirect(target))
    if "IndexDocument" not in parts:
        message = "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is "
        raise S3Error("InvalidArgument", message + "empty")
    index = _texts(parts["IndexDocument"], "Suffix").get("Suffix", "")
    if not index or "/" in index:
        raise S3Error("InvalidArgument", "The IndexDocument Suffix is not well formed")
    error = None
    if "ErrorDocument" in parts:
        error = _texts(parts["ErrorDocument"], "Key").get("Key")
        if not error:
            raise S3Error("InvalidArgument", "The ErrorDocument Key is not well formed")
    rules = tuple(
        _parse_rule(node)
        for node in (parts["RoutingRules"].children() if "RoutingRules" in parts else ())
    )
    if len(rules) > _MAX_RULES:
        raise S3Error("InvalidRequest", f"There are more than {_MAX_RULES} routing rules.")
    return Website(index, error, rules)


def _fields(node: Node, *known: str) -> dict[str, Node]:
    """Return the children by name. Raises: `S3Error` (MalformedXML: unknown, or twice)."""
    children = {child.name: child for child in node.children()}
    if len(children) != sum(1 for _ in node.children()) or not children.keys() <= set(known):
        raise S3Error("MalformedXML")
    return children


def _texts(node: Node, *known: str) -> dict[str, str]:
    return {name: child.raw_text for name, child in _fields(node, *known).items()}


def _parse_rule(node: Node) -> RoutingRule:
    if node.name != "RoutingRule":
        raise S3Error("MalformedXML")
    parts = _fields(node, "Condition", "Redirect")
    if "Redirect" not in parts:
        raise S3Error("MalformedXML", "A RoutingRule needs a Redirect.")
    target = _texts(
        parts["Redirect"],
        "HostName", "Protocol", "ReplaceKeyWith", "ReplaceKeyPrefixWith", "HttpRedirectCode",
    )  # fmt: skip
    if not target or {"ReplaceKeyWith", "ReplaceKeyPrefixWith"} <= target.keys():
        raise S3Error("InvalidRequest", "The Redirect of a RoutingRule is not well formed.")
    prefix, error_code = "", None
    if "Condition" in parts:
        names = ("KeyPrefixEquals", "HttpErrorCodeReturnedEquals")
        condition = _texts(parts["Condition"], *names)
        prefix = condition.get(names[0], "")
        if (code := condition.get(names[1])) is not None:
            if not _ERROR_CODE.fullmatch(code.strip()):
                raise S3Error("InvalidRequest", "The provided HTTP error code is not valid.")
            error_code = int(code)
    return RoutingRule(_parse_redirect(target), prefix, error_code)


def _parse_redirect(fields: dict[str, str]) -> Redirect:
    host, protocol = fields.get("HostName"), fields.get("Protocol", "").strip().lower()
    if host is not None and not _HOST.fullmatch(host.strip()):
        raise S3Error("InvalidArgument", "The HostName of a redirect is not valid.")
    if protocol not in ("", "http", "https"):
        message = "Invalid protocol, protocol can be http or https."
        raise S3Error("InvalidRequest", message)
    code = fields.get("HttpRedirectCode", "301").strip()
    if not _REDIRECT_CODE.fullmatch(code):
        raise S3Error("InvalidRequest", "The provided HTTP redirect code is not valid.")
    return Redirect(
        host.strip() if host else None,
        "https" if protocol == "https" else "http" if protocol else None,
        fields.get("ReplaceKeyWith"),
        fields.get("ReplaceKeyPrefixWith"),
        int(code),
    )


def load_website(bucket: BucketState) -> Website | None:
    """Return the website of a bucket; None if it has none, or if another client wrote nonsense."""
    return load_setting(bucket, WEBSITE, Website, None)


def website_document(website: Website) -> str:
    """Return the WebsiteConfiguration document."""
    if (target := website.redirect_all) is not None:
        fields = text("HostName", target.host) + text("Protocol", target.protocol)
        return document("WebsiteConfiguration", element("RedirectAllRequestsTo", fields))
    rules = [_rule_element(rule) for rule in website.rules]
    return document(
        "WebsiteConfiguration",
        element("IndexDocument", text("Suffix", website.index)),
        "" if website.error is None else element("ErrorDocument", text("Key", website.error)),
        element("RoutingRules", *rules) if rules else "",
    )


def _rule_element(rule: RoutingRule) -> str:
    target = rule.redirect
    conditions = text("KeyPrefixEquals", rule.prefix or None) + text(
        "HttpErrorCodeReturnedEquals", rule.error_code
    )
    return element(
        "RoutingRule",
        element("Condition", conditions) if conditions else "",
        element(
            "Redirect",
            text("HostName", target.host),
            text("Protocol", target.protocol),
            text("ReplaceKeyPrefixWith", target.prefix),
            text("ReplaceKeyWith", target.key),
            text("HttpRedirectCode", target.code),
        ),
    )
