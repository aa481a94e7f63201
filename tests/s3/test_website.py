"""Static websites: pages, folders, redirects and error documents on host names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from botocore.exceptions import ClientError

from tests.support.gateway import OTHER, RunningGateway

if TYPE_CHECKING:
    from tests.support.servers import NatsServer

DOMAIN = "web.test"
INDEX = {"IndexDocument": {"Suffix": "index.html"}}


@pytest.fixture(scope="module")
def sites(server: NatsServer) -> Iterator[RunningGateway]:
    with RunningGateway(server.url, public_acls=True, website_domains=[DOMAIN]) as running:
        yield running


@pytest.fixture
def site(sites: RunningGateway, bucket: str) -> Iterator[httpx.Client]:
    """A browser on the website of the bucket."""
    with httpx.Client(base_url=sites.url, headers={"host": f"{bucket}.{DOMAIN}"}) as client:
        yield client


def publish(s3: Any, bucket: str, pages: dict[str, str], **configuration: Any) -> None:
    for key, body in pages.items():
        s3.put_object(Bucket=bucket, Key=key, Body=body.encode(), ContentType="text/html")
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    s3.put_bucket_website(Bucket=bucket, WebsiteConfiguration=INDEX | configuration)


def test_pages(sites: RunningGateway, s3_bucket: str, site: httpx.Client) -> None:
    s3 = sites.client()
    pages = {"index.html": "root", "docs/index.html": "docs", "docs/a": "a", "404.html": "<b>no"}
    publish(s3, s3_bucket, pages, ErrorDocument={"Key": "404.html"})
    got = site.get("/")
    assert (got.status_code, got.text, got.headers["content-type"]) == (200, "root", "text/html")
    assert site.get("/docs/").text == "docs"
    assert site.get("/docs/a?versionId=x&unknown").text == "a"
    assert site.get("/docs/a", headers={"range": "bytes=0-0"}).status_code == 206
    assert site.get("/", headers={"if-none-match": got.headers["etag"]}).status_code == 304
    folder = site.get("/docs")
    assert (folder.status_code, folder.headers["location"]) == (302, "/docs/")
    # With two slashes at its start, the location would be another host.
    s3.put_object(Bucket=s3_bucket, Key="/evil.test/index.html", Body=b"evil")
    folder = site.get("/%2Fevil.test")
    assert folder.headers["location"] == "/%2Fevil.test/"
    assert site.get(folder.headers["location"]).text == "evil"
    # The policy allows to read objects, not to see which there are.
    missing = site.get("/missing")
    assert (missing.status_code, missing.text) == (403, "<b>no")
    # They were a text with the size of the error document, without a request id.
    behind = site.get("/docs/a", headers={"range": "bytes=9-"})
    assert (behind.status_code, behind.headers["content-range"]) == (416, "bytes */1")
    other = site.get("/docs/a", headers={"if-match": '"other"'})
    assert (other.status_code, "PreconditionFailed" in other.text) == (412, True)
    for refused in (behind, other):
        assert refused.headers["content-type"] == "text/html; charset=utf-8"
        assert refused.headers["x-amz-request-id"] in refused.text
    assert site.head("/").headers["content-length"] == "4"
    assert site.put("/index.html", content=b"x").status_code == 405
    assert s3.get_object(Bucket=s3_bucket, Key="index.html")["Body"].read() == b"root"


def test_pages_need_permission(sites: RunningGateway, s3_bucket: str, site: httpx.Client) -> None:
    s3 = sites.client()
    publish(s3, s3_bucket, {"index.html": "root"})
    s3.delete_bucket_policy(Bucket=s3_bucket)
    refused = site.get("/")
    assert (refused.status_code, refused.headers["content-type"]) == (
        403,
        "text/html; charset=utf-8",
    )
    assert "AccessDenied" in refused.text
    assert "root" not in refused.text


def test_host_without_a_website(sites: RunningGateway, s3_bucket: str, site: httpx.Client) -> None:
    got = site.get("/<script>")
    assert got.status_code == 404
    assert "NoSuchWebsiteConfiguration" in got.text
    assert "<script>" not in got.text
    missing = httpx.get(f"{sites.url}/", headers={"host": f"no-such-bucket.{DOMAIN}"})
    assert (missing.status_code, "NoSuchBucket" in missing.text) == (404, True)


def test_redirects(sites: RunningGateway, s3_bucket: str, site: httpx.Client) -> None:
    s3 = sites.client()
    rules = [
        {
            "Condition": {"KeyPrefixEquals": "old/"},
            "Redirect": {"ReplaceKeyPrefixWith": "new/", "HttpRedirectCode": "302"},
        },
        {
            "Condition": {"HttpErrorCodeReturnedEquals": "403", "KeyPrefixEquals": "gone/"},
            "Redirect": {"HostName": "other.test", "Protocol": "https", "ReplaceKeyWith": "why"},
        },
    ]
    publish(s3, s3_bucket, {"index.html": "root"}, RoutingRules=rules)
    stored = s3.get_bucket_website(Bucket=s3_bucket)
    assert stored["IndexDocument"] == INDEX["IndexDocument"]
    assert stored["RoutingRules"][0]["Redirect"]["ReplaceKeyPrefixWith"] == "new/"
    moved = site.get("/old/a b")
    host = f"{s3_bucket}.{DOMAIN}"
    assert (moved.status_code, moved.headers["location"]) == (302, f"http://{host}/new/a%20b")
    gone = site.get("/gone/x")
    assert (gone.status_code, gone.headers["location"]) == (301, "https://other.test/why")

    location = "https://elsewhere.test/page"
    s3.put_object(Bucket=s3_bucket, Key="jump", WebsiteRedirectLocation=location)
    assert s3.head_object(Bucket=s3_bucket, Key="jump")["WebsiteRedirectLocation"] == location
    jump = site.get("/jump")
    assert (jump.status_code, jump.headers["location"], jump.content) == (301, location, b"")
    s3.copy_object(Bucket=s3_bucket, Key="copy", CopySource=f"{s3_bucket}/jump")
    assert "WebsiteRedirectLocation" not in s3.head_object(Bucket=s3_bucket, Key="copy")

    everything = {"RedirectAllRequestsTo": {"HostName": "other.test", "Protocol": "https"}}
    s3.put_bucket_website(Bucket=s3_bucket, WebsiteConfiguration=everything)
    assert (
        s3.get_bucket_website(Bucket=s3_bucket)["RedirectAllRequestsTo"]
        == (everything["RedirectAllRequestsTo"])
    )
    all_moved = site.get("/any?x=1")
    assert all_moved.headers["location"] == "https://other.test/any"
    s3.delete_bucket_website(Bucket=s3_bucket)
    assert site.get("/").status_code == 404


@pytest.mark.parametrize(
    ("configuration", "code"),
    [
        ({}, "InvalidArgument"),
        ({"IndexDocument": {"Suffix": "a/b"}}, "InvalidArgument"),
        (INDEX | {"RedirectAllRequestsTo": {"HostName": "a"}}, "InvalidRequest"),
        ({"RedirectAllRequestsTo": {"HostName": "a/b"}}, "InvalidArgument"),
        (INDEX | {"RoutingRules": [{"Redirect": {"HttpRedirectCode": "200"}}]}, "InvalidRequest"),
        (
            INDEX | {"RoutingRules": [
                {"Redirect": {"ReplaceKeyWith": "a", "ReplaceKeyPrefixWith": "b"}}
            ]},
            "InvalidRequest",
        ),
    ],
)  # fmt: skip
def test_refused_configurations(
    s3: Any, s3_bucket: str, configuration: dict[str, Any], code: str
) -> None:
    with pytest.raises(ClientError, match=code):
        s3.put_bucket_website(Bucket=s3_bucket, WebsiteConfiguration=configuration)
    with pytest.raises(ClientError, match="NoSuchWebsiteConfiguration"):
        s3.get_bucket_website(Bucket=s3_bucket)


def test_refused_redirect_location(s3: Any, s3_bucket: str) -> None:
    with pytest.raises(ClientError, match="InvalidRedirectLocation"):
        s3.put_object(Bucket=s3_bucket, Key="a", WebsiteRedirectLocation="javascript:alert(1)")


def test_private_folder_is_not_redirected(
    sites: RunningGateway, s3_bucket: str, site: httpx.Client
) -> None:
    s3 = sites.client()
    rules = [{"Condition": {"KeyPrefixEquals": "old/"}, "Redirect": {"ReplaceKeyWith": "new"}}]
    publish(s3, s3_bucket, {"secret/index.html": "1"}, RoutingRules=rules)
    assert site.get("/secret").headers["location"] == "/secret/"
    s3.delete_bucket_policy(Bucket=s3_bucket)
    assert site.get("/secret").status_code == 403, "as for a folder that is not there"
    # What follows the colon is no port: it would make the redirect one to another host.
    hosts = {"": 301, ":80": 301, ":80@evil.example": 404, ":evil.example": 404}
    for port, status in hosts.items():
        answer = site.get("/old/a", headers={"host": f"{s3_bucket}.{DOMAIN}{port}"})
        assert answer.status_code == status, port


def test_website_is_for_the_owner(sites: RunningGateway, s3_bucket: str) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        sites.client(OTHER).put_bucket_website(Bucket=s3_bucket, WebsiteConfiguration=INDEX)
