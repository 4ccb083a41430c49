"""`GatewayStatus` and the metrics, from the state: integers, digests and pseudonyms only."""

from __future__ import annotations

from feedbackloop.api.gateway import GatewayStatus, LedgerHead, LogPosition, ShadowCounts
from feedbackloop.gateway.core import Core
from feedbackloop.gateway.counted import traffic_counts, unit_counts
from feedbackloop.gateway.state import State
from feedbackloop.gateway.uploader import Uploader


def status(core: Core, uploader: Uploader, pod: str) -> GatewayStatus:
    """What the operator counts by."""
    state, routing = core.journal.state, core.applied.config.routing
    return GatewayStatus(
        pod=pod,
        revision=core.applied.revision,
        run_uid=routing.run_uid,
        epoch=routing.epoch,
        appended=LogPosition(offset=state.stored, trainable=state.trainable),
        uploaded=uploader.uploaded.position(),
        accepted=state.taken,
        stored=state.stored - state.own,
        duplicate=state.duplicate,
        bad_rows=state.bad_rows,
        by_signal=dict(state.by_signal),
        units=unit_counts(state.units),
        open_units=len(state.units),
        traffic=traffic_counts(state.traffic),
        shadow=_shadow(state),
        orphans=state.orphans,
        declined=state.declined,
        replayed=state.replayed,
        consents=dict(state.consents),
        ledger=_ledger(uploader),
        key_epoch=_key_epoch(core),
        storage_error=uploader.error,
        log_error=core.journal.refusal,
        law_difference=core.journal.law.lasting,
        clock_offset_seconds=core.journal.clock.offset_ms // 1000,
        drained=core.draining and uploader.done,
    )


def _ledger(uploader: Uploader) -> LedgerHead | None:
    position = uploader.uploaded.ledger
    if uploader.signer is None or position is None:
        return None
    return LedgerHead(seq=position.seq, hash=position.hash, public_key=uploader.signer.public_key)


def _key_epoch(core: Core) -> int:
    """The epoch of the subject keys that a record of now is sealed under."""
    return core.journal.now_ms() // (core.applied.config.encryption.rotation_period_seconds * 1000)


def _shadow(state: State) -> tuple[ShadowCounts, ...]:
    return tuple(
        ShadowCounts(
            run_uid=run,
            epoch=epoch,
            mirrored=counts.mirrored,
            pairs=counts.pairs,
            failed=counts.failed,
            skipped=counts.skipped,
        )
        for (run, epoch), counts in state.shadow.counts.items()
    )


def metrics(core: Core, uploader: Uploader) -> str:
    """The Prometheus text exposition format, version 0.0.4."""
    state, journal = core.journal.state, core.journal
    values = {
        "events_accepted_total": state.taken,
        "events_stored_total": state.stored - state.own,
        "events_duplicate_total": state.duplicate,
        "events_bad_rows_total": state.bad_rows,
        "orphans_total": state.orphans,
        "declined_total": state.declined,
        "replayed_total": state.replayed,
        "log_uploaded_records_total": uploader.uploaded.events,
        "log_bytes": journal.used_bytes,
        "log_limit_bytes": journal.limit_bytes,
        "log_failed": int(journal.failure is not None),
        "law_difference": journal.law.lasting,
        "log_ballast_missing": int(journal.lacks_ballast),
        "clock_jumps_total": journal.clock.jumps,
        "clock_offset_seconds": journal.clock.offset_ms // 1000,
        "log_damaged_segments": core.metrics["damaged_segments"],
        "upload_failing": int(uploader.error is not None),
        "upload_conflicts_total": uploader.conflicts,
        "open_units": len(state.units),
        "shadow_mirrored_total": sum(counts.mirrored for counts in state.shadow.counts.values()),
        "shadow_pairs_total": sum(counts.pairs for counts in state.shadow.counts.values()),
        "shadow_failed_total": sum(counts.failed for counts in state.shadow.counts.values()),
        "shadow_skipped_total": sum(counts.skipped for counts in state.shadow.counts.values()),
        "draining": int(core.draining),
    }
    values |= {f"{name}_total": count for name, count in core.metrics.items() if name != "damaged_segments"}
    lines = [f"feedbackloop_gateway_{name} {value}" for name, value in sorted(values.items())]
    lines += [
        f'feedbackloop_gateway_consents_total{{purpose="{purpose}",state="{given}"}} {count}'
        for (purpose, given), count in sorted((tuple(key.split("/", 1)), n) for key, n in state.consents.items())
    ]
    # The reason is a class of errors or a code of letters and digits, never a text.
    lines += [f'feedbackloop_gateway_upload_error{{reason="{uploader.error}"}} 1'] if uploader.error else []
    replaced = core.applied.redactor.replaced
    lines += [
        f'feedbackloop_gateway_redactions_total{{entity="{name}"}} {count}' for name, count in sorted(replaced.items())
    ]
    return "\n".join(lines) + "\n"
