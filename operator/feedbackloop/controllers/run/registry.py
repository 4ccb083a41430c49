"""Asks to MLflow, answered. Each looks before it makes, so that it may be repeated."""

from __future__ import annotations

from dataclasses import replace

from feedbackloop.adapters.ports import MlflowPort
from feedbackloop.domain.lifecycle.run_effects import Ask, Register, Settle, Track, Version
from feedbackloop.domain.lifecycle.run_registry import CANDIDATE, CHAMPION
from feedbackloop.domain.lifecycle.run_seen import Answers


async def answer(mlflow: MlflowPort, ask: Ask, answers: Answers) -> Answers:
    """The answers so far with the answer to this ask."""
    if isinstance(ask, Track):
        return replace(answers, run_id=await _track(mlflow, ask))
    if isinstance(ask, Register):
        return replace(answers, version=await _register(mlflow, ask))
    await _settle(mlflow, ask)
    return replace(answers, settled=True)


async def _track(mlflow: MlflowPort, ask: Track) -> str:
    experiment = await mlflow.ensure_experiment(ask.endpoint, ask.experiment)
    run_id = await mlflow.ensure_run(ask.endpoint, experiment, run_uid=ask.run_uid, name=ask.name, tags=ask.tags)
    await mlflow.log(ask.endpoint, run_id, params=ask.params)
    return run_id


async def _register(mlflow: MlflowPort, ask: Register) -> str:
    await mlflow.ensure_registered_model(ask.endpoint, ask.registered_model)
    champion = await _version(mlflow, ask.endpoint, ask.registered_model, ask.champion, run_id="")
    version = await _version(mlflow, ask.endpoint, ask.registered_model, ask.candidate, run_id=ask.run_id)
    await mlflow.set_alias(ask.endpoint, ask.registered_model, CHAMPION, champion)
    await mlflow.set_alias(ask.endpoint, ask.registered_model, CANDIDATE, version)
    return version


async def _settle(mlflow: MlflowPort, ask: Settle) -> None:
    if ask.registered_model is not None:
        for alias, version in ask.aliases.items():
            await _point(mlflow, ask.endpoint, ask.registered_model, alias, version)
    await mlflow.log(ask.endpoint, ask.run_id, tags=ask.tags)
    await mlflow.end_run(ask.endpoint, ask.run_id, ask.status)


async def _point(mlflow: MlflowPort, endpoint: str, model: str, alias: str, version: Version | None) -> None:
    if version is None:
        await mlflow.delete_alias(endpoint, model, alias)
        return
    number = await _version(mlflow, endpoint, model, version, run_id="")
    await mlflow.set_alias(endpoint, model, alias, number)


async def _version(mlflow: MlflowPort, endpoint: str, model: str, version: Version, *, run_id: str) -> str:
    """A model that no run of ours made belongs to no MLflow run."""
    return await mlflow.ensure_version(
        endpoint, model, run_uid=version.key, run_id=run_id, source=version.source, tags=version.tags
    )
