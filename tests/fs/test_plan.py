"""The order in which a transaction makes its changes."""

from __future__ import annotations

from jetstow.fs.transaction import Change, Kind, plan


def test_plan_keeps_dependent_changes_apart() -> None:
    async def nothing() -> None:
        pass

    def change(kind: Kind, target: str, source: str | None = None) -> Change:
        return Change(kind, target, nothing, source=source)

    removal, upload = change(Kind.REMOVAL, "a"), change(Kind.UPLOAD, "b")
    move, last = change(Kind.MOVE, "c", "b"), change(Kind.UPLOAD, "b")
    guarded, bucket = change(Kind.GUARDED_UPLOAD, "d"), change(Kind.BUCKET_REMOVAL, "e")
    replaced = change(Kind.UPLOAD, "a")
    groups = plan([bucket, replaced, removal, upload, move, last, guarded])
    assert groups == [[guarded], [upload], [removal], [move], [last], [bucket]]
