"""GetBucketWebsite: the website configuration of a bucket."""

from __future__ import annotations

from jetstow.s3.call import Call
from jetstow.s3.errors import S3Error
from jetstow.s3.result import Result
from jetstow.s3.website.configuration import load_website, website_document


async def get_bucket_website(call: Call) -> Result:
    """Return the configuration. Without one, that is an error."""
    website = load_website(call.bucket)
    if website is None:
        raise S3Error("NoSuchWebsiteConfiguration", BucketName=call.bucket.name)
    return Result(xml=website_document(website))
