"""Whether the service can work, as whatever watches over it asks."""

from __future__ import annotations

from service_tools import Running, until


def test_a_database_that_was_moved_away_is_missed_at_once(own: Running) -> None:
    file = own.service.database.location.file
    assert file is not None
    with own.http(None) as anybody:
        assert anybody.get("/ready").status_code == 200
        file.rename(file.with_suffix(".away"))
        until(lambda: anybody.get("/ready").status_code == 503)
        assert anybody.get("/ready").json() == {"status": "not ready"}
        assert anybody.get("/health").status_code == 200
        file.with_suffix(".away").rename(file)
        until(lambda: anybody.get("/ready").status_code == 200)
