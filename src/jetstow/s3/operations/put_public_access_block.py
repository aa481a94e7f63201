"""PutPublicAccessBlock: set which public ACLs a bucket refuses or ignores."""

from __future__ import annotations

from jetstow.s3.call import Call
from jetstow.s3.errors import S3Error
from jetstow.s3.ownership import PUBLIC_ACCESS_FLAGS
from jetstow.s3.reserved import PUBLIC_ACCESS
from jetstow.s3.result import Result
from jetstow.s3.xml.parsing import parse_xml


async def put_public_access_block(call: Call) -> Result:
    """Set the flags. Those that the document leaves out are off."""
    root = parse_xml(await call.payload.read_document(), "PublicAccessBlockConfiguration")
    flags = set()
    for node in root.children():
        value = node.text.lower()
        if node.name not in PUBLIC_ACCESS_FLAGS or value not in ("true", "false"):
            raise S3Error("MalformedXML")
        if value == "true":
            flags.add(node.name)
    async with call.buckets.changing(call.bucket) as settings:
        settings[PUBLIC_ACCESS] = ",".join(sorted(flags))
    return Result()
