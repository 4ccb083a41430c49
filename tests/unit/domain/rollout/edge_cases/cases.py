"""The 46 edge cases of a rollout: what happens, what answers it, and the tests that show it."""

from __future__ import annotations

from dataclasses import dataclass

ROLLOUT = "tests/unit/domain/rollout/"
HERE = f"{ROLLOUT}edge_cases/"
EVIDENCE = "tests/unit/domain/evidence/"
TRAFFIC = "tests/unit/domain/traffic/"
GATEWAY = "tests/gateway/"
UNITS = "tests/unit/gateway/test_units.py::"
PARTS = "tests/unit/gateway/test_small_parts.py::"


@dataclass(frozen=True)
class EdgeCase:
    number: int
    happens: str
    answer: str
    tests: tuple[str, ...]
    """Ids as pytest has them, without parameters."""


EDGE_CASES = (
    EdgeCase(
        1,
        "The operator restarts at any line",
        "Everything is derived from status again; a look counts once, a late timer fires once.",
        (
            f"{ROLLOUT}test_policies.py::test_killed_at_any_time_it_comes_to_the_same_end",
            f"{ROLLOUT}test_pausing.py::test_no_step_is_taken_over_a_long_silence_of_the_operator",
            f"{EVIDENCE}test_counting.py::test_new_is_what_no_look_has_counted",
            "tests/api/crash/test_every_write.py::test_a_crash_around_any_write_leaves_no_trace",
        ),
    ),
    EdgeCase(
        2,
        "The leader is lost after it wrote the route",
        "The intent was in status before; the next leader finds the route in force and writes nothing twice.",
        (f"{HERE}test_operators.py::test_case_02_another_leader_adopts_a_route_that_is_in_force_already",),
    ),
    EdgeCase(
        3,
        "Two writers on one route rule",
        "It holds and names the other one; after three changes it pauses. There is never a fight.",
        (
            f"{ROLLOUT}test_routers.py::test_three_changes_pause_until_a_person_settles_it",
            f"{TRAFFIC}test_gateway_api.py::test_edge_case_3_two_writers_on_one_rule_the_other_one_is_named",
            f"{TRAFFIC}test_judge.py::test_edge_case_3_three_strikes_and_looking_again_adds_none",
        ),
    ),
    EdgeCase(
        4,
        "A self-healing tool resets the weight",
        "It is written again, later each time; the disturbed epoch is left out of all evidence.",
        (
            f"{ROLLOUT}test_routers.py::test_another_writers_change_holds_counts_once_and_its_interval_is_left_out",
            f"{TRAFFIC}test_judge.py::test_edge_case_4_the_repair_waits_longer_each_time_and_then_for_a_person",
        ),
    ),
    EdgeCase(
        5,
        "Exposures and intended weights differ",
        "What counts is the arm that answered, not the weight that was meant.",
        (
            f"{UNITS}test_traffic_is_counted_by_the_arm_that_answered_without_warm_up",
            f"{UNITS}test_more_requests_of_a_session_are_still_one_unit_of_its_first_arm",
            "tests/unit/gateway/test_reported.py::test_edge_case_5_the_arm_is_that_of_the_served_revision",
        ),
    ),
    EdgeCase(
        6,
        "The weight changes in the middle of a look",
        "A look belongs to one epoch; late units of an old epoch make a look of their own.",
        (f"{EVIDENCE}test_looks.py::test_late_units_of_an_old_epoch_make_a_look_of_their_own",),
    ),
    EdgeCase(
        7,
        "A new candidate arrives",
        "Queue keeps the newest only; Supersede takes the traffic away first and waits for the canary to end.",
        (
            "tests/api/run/test_order.py::test_of_those_that_wait_only_the_newest_is_kept",
            "tests/api/run/test_order.py::test_a_newer_run_takes_the_place_of_the_one_that_rolls_out",
            f"{ROLLOUT}test_taking_back.py::test_another_declared_model_supersedes_at_any_time",
            f"{ROLLOUT}test_policies.py::test_a_supersession_waits_for_a_target_that_can_carry_the_traffic",
        ),
    ),
    EdgeCase(
        8,
        "The candidate is what stable serves",
        "No step, no analysis, no canary: it is promoted already.",
        (f"{HERE}test_operators.py::test_case_08_what_stable_serves_already_needs_no_rollout",),
    ),
    EdgeCase(
        9,
        "The same weights with another configuration",
        "The digest covers every file of the artefact; a canary differs from the target by its model alone.",
        (
            "tests/unit/jobs/artefact/test_artefact.py::test_the_digest_is_that_of_the_canonical_manifest",
            "tests/unit/domain/children/test_pods.py::test_a_canary_differs_from_the_adopted_target_by_its_model_alone",
        ),
    ),
    EdgeCase(
        10,
        "Steps are edited mid-way",
        "An unchanged beginning goes on; a changed one starts anew at step 0, without traffic.",
        (
            f"{ROLLOUT}test_following.py::test_an_edit_of_later_steps_is_followed_from_where_it_stands",
            f"{ROLLOUT}test_following.py::test_an_edit_of_what_was_done_starts_anew_without_traffic",
        ),
    ),
    EdgeCase(
        11,
        "Outcomes, guardrails or error rates are edited mid-way",
        "The pinned ones are used; less evidence can not be had by editing steps either.",
        (
            "tests/unit/domain/run/test_inputs.py::test_a_later_edit_of_the_loop_does_not_change_a_run_that_has_begun",
            f"{ROLLOUT}test_following.py::test_an_edit_that_asks_for_less_evidence_is_not_followed",
        ),
    ),
    EdgeCase(
        12,
        "`paused: true`",
        "Progress is frozen; guardrails and harm still abort.",
        (
            f"{ROLLOUT}test_pausing.py::test_a_declared_pause_freezes_the_steps_where_they_are",
            f"{ROLLOUT}test_pausing.py::test_a_pause_does_not_freeze_what_takes_back",
        ),
    ),
    EdgeCase(
        13,
        "Abort in a freeze, in a pause, after promote-full, or twice",
        "Always possible; the second one changes nothing.",
        (
            f"{ROLLOUT}test_verbs.py::test_abort_is_possible_at_any_time",
            f"{ROLLOUT}test_verbs.py::test_nothing_freezes_an_abort",
            f"{ROLLOUT}test_verbs.py::test_a_second_abort_changes_nothing_and_other_verbs_are_void",
        ),
    ),
    EdgeCase(
        14,
        "A freeze starts in the middle of a step",
        "The weight stays; evidence goes on.",
        (f"{ROLLOUT}test_windows.py::test_a_freeze_that_starts_mid_step_holds_the_weight_while_evidence_goes_on",),
    ),
    EdgeCase(
        15,
        "Clocks change, or a time zone is not known",
        "Local times as RFC 5545 reads them; what cannot be followed holds and says which field.",
        (
            f"{ROLLOUT}test_windows.py::test_a_skipped_local_time_starts_by_the_offset_before_the_gap",
            f"{ROLLOUT}test_windows.py::test_a_repeated_local_time_is_its_first_occurrence",
            f"{ROLLOUT}test_windows.py::test_a_window_that_cannot_be_followed_holds_and_says_why",
        ),
    ),
    EdgeCase(
        16,
        "Promote-full",
        "It skips steps; capacity, routing and baking are still awaited.",
        (f"{ROLLOUT}test_verbs.py::test_promote_full_skips_the_steps_and_still_waits_for_capacity_routing_and_baking",),
    ),
    EdgeCase(
        17,
        "Stable is unhealthy before the start",
        "It waits and says so; by policy a decided canary may take over.",
        (
            f"{ROLLOUT}test_policies.py::test_stable_that_is_not_whole_keeps_a_rollout_from_starting_and_says_so",
            f"{ROLLOUT}test_policies.py::test_a_decided_canary_may_take_over_from_a_broken_stable_by_policy",
        ),
    ),
    EdgeCase(
        18,
        "The canary is evicted while it has traffic",
        "Weight 0 first, then it is awaited and restored; the third time takes it back.",
        (
            f"{ROLLOUT}test_stability.py::test_an_unavailable_canary_loses_its_traffic_and_gets_it_back_as_a_new_epoch",
            f"{ROLLOUT}test_stability.py::test_the_third_time_takes_it_back",
        ),
    ),
    EdgeCase(
        19,
        "An autoscaler scales the target",
        "The canary follows by its weight, also while it holds; stable keeps the capacity for everything.",
        (
            f"{HERE}test_pods.py::test_case_19_the_canary_follows_a_target_that_others_scale_also_while_it_holds",
            f"{ROLLOUT}test_taking_back.py::test_traffic_stays_on_the_canary_while_the_target_cannot_carry_it",
        ),
    ),
    EdgeCase(
        20,
        "Slow pods: spot nodes, image pulls, model downloads",
        "Awaited until the progress deadline, which pauses and analyses do not use up.",
        (
            f"{HERE}test_pods.py::test_case_20_a_slow_start_is_waited_for_until_its_deadline_and_said",
            f"{ROLLOUT}test_pausing.py::test_the_progress_deadline_exempts_pauses_analyses_and_a_person",
        ),
    ),
    EdgeCase(
        21,
        "A disruption budget or a quota blocks scaling",
        "Down: the run ends once the pods are gone. Up: the old model goes on serving, until the deadline.",
        (
            f"{HERE}test_pods.py::test_case_21_pods_that_a_budget_keeps_get_no_traffic_and_end_no_run",
            f"{HERE}test_pods.py::test_case_21_a_quota_that_leaves_no_room_for_all_traffic_keeps_the_old_model_serving",
        ),
    ),
    EdgeCase(
        22,
        "No traffic for `maxDurationSeconds`",
        "Inconclusive, never promoted.",
        (f"{ROLLOUT}test_promotion.py::test_no_traffic_at_all_promotes_nothing",),
    ),
    EdgeCase(
        23,
        "Only one arm gets feedback",
        "The rated share of each arm is checked, and a great difference holds.",
        (
            f"{EVIDENCE}test_trust.py::test_case_23_votes_that_only_one_arm_gets_decide_nothing",
            f"{ROLLOUT}test_holds.py::test_an_arm_that_is_hardly_rated_holds",
        ),
    ),
    EdgeCase(
        24,
        "Feedback comes after the promotion",
        "It is watched for `watchSeconds`; harm is told by the condition Regressed and an Event.",
        ("tests/api/run/test_afterwards.py::test_harm_in_late_votes_is_told_with_the_way_back",),
    ),
    EdgeCase(
        25,
        "Votes are changed, repeated or erased",
        "The last vote at the end of the window counts; nothing opens a look again.",
        (
            f"{EVIDENCE}test_counting.py::test_case_25_what_was_erased_or_voted_again_never_opens_a_look_again",
            f"{UNITS}test_the_last_vote_stands",
        ),
    ),
    EdgeCase(
        26,
        "Bots and abusive voters",
        "One session counts once, by its own subject's last vote, and votes are limited by subject.",
        (
            f"{UNITS}test_no_session_is_ever_counted_twice",
            f"{UNITS}test_a_vote_of_another_subject_or_epoch_or_signal_does_not_count",
            "tests/unit/gateway/test_ratelimit.py::test_another_token_for_the_same_answer_has_the_same_bucket",
        ),
    ),
    EdgeCase(
        27,
        "A request without a session",
        "Stable answers, and it is not counted.",
        (
            f"{PARTS}test_without_session_or_canary_everything_is_stable",
            f"{UNITS}test_requests_without_a_session_are_not_counted",
        ),
    ),
    EdgeCase(
        28,
        "The salt of the assignment",
        "It is the candidate's: it never changes within a rollout, and another attempt has another one.",
        (
            f"{HERE}test_operators.py::test_case_28_the_salt_is_the_candidates_from_its_first_to_its_last_epoch",
            f"{PARTS}test_raising_the_weight_moves_sessions_only_from_stable_to_canary",
        ),
    ),
    EdgeCase(
        29,
        "Mirrored requests must not act",
        "Tools, feedback and training are out of their reach; only the redacted pair is kept.",
        (
            f"{GATEWAY}test_shadow.py::test_what_could_act_or_was_not_agreed_to_is_not_mirrored",
            f"{GATEWAY}test_shadow.py::test_the_candidate_is_asked_too_and_only_the_pair_is_kept",
            "tests/unit/gateway/test_shadow_parts.py::test_edge_case_29_what_may_not_be_mirrored",
        ),
    ),
    EdgeCase(
        30,
        "The shadow is overloaded",
        "It has its own cap; mirrors are dropped, and users notice nothing.",
        (
            f"{GATEWAY}test_shadow.py::test_a_candidate_that_hangs_costs_users_nothing",
            "tests/unit/gateway/test_shadow_parts.py::test_edge_case_30_what_is_held_is_bounded",
        ),
    ),
    EdgeCase(
        31,
        "Streams, long answers, clients that leave",
        "Counted at their end; a client that leaves is no error of the model.",
        (
            f"{GATEWAY}test_proxy.py::test_a_stream_comes_through_piece_by_piece_and_is_logged_at_its_end",
            f"{GATEWAY}test_shadow.py::test_a_client_that_leaves_is_no_error",
        ),
    ),
    EdgeCase(
        32,
        "A cold prefix cache",
        "The first answers of a new pod are warm-up.",
        (f"{PARTS}test_pods_take_turns_and_their_first_five_answers_are_warm_up",),
    ),
    EdgeCase(
        33,
        "The model's name that clients see",
        "It stays, and nothing in an answer tells the arm.",
        (f"{GATEWAY}test_proxy.py::test_nothing_in_an_answer_tells_the_arm",),
    ),
    EdgeCase(
        34,
        "Versions that cannot go on with each other's conversations",
        "The unit is the session: one conversation is assigned as a whole.",
        (
            f"{GATEWAY}test_proxy.py::test_sessions_stick_to_the_arm_of_their_bucket",
            f"{GATEWAY}test_proxy.py::test_in_a_new_epoch_old_sessions_do_not_count",
        ),
    ),
    EdgeCase(
        35,
        "NaN, empty answers, counters that go back, clocks that lag",
        "An error with its reason, never 0: it holds.",
        (
            "tests/unit/adapters/test_prometheus.py::test_edge_35_anything_else_is_an_error_with_its_reason",
            "tests/unit/adapters/test_prometheus.py::test_edge_35_a_source_with_another_clock",
            f"{EVIDENCE}test_counting.py::test_case_35_a_counter_that_was_reset_or_is_partial_is_no_evidence",
            "tests/api/sources/test_real_prometheus.py::test_edge_35_what_is_no_number",
        ),
    ),
    EdgeCase(
        36,
        "Fractions from Prometheus' `increase()`",
        "Guardrails only; evidence is made of integers from the gateway.",
        (
            "tests/unit/adapters/test_prometheus.py::test_edge_36_fractions_of_requests_do_not_count",
            f"{EVIDENCE}test_counting.py::test_case_36_evidence_is_of_integers",
        ),
    ),
    EdgeCase(
        37,
        "Many outcomes",
        "The error rate of harm is one budget for all of them; promotion needs every one.",
        (f"{EVIDENCE}test_outcome.py::test_case_37_the_alpha_of_harm_is_one_budget_for_all_outcomes",),
    ),
    EdgeCase(
        38,
        "A router accepts a weight and ignores it",
        "The measured share does not fit: it holds.",
        (
            f"{TRAFFIC}test_judge.py::test_edge_case_38_accepted_weights_that_the_requests_do_not_follow",
            f"{ROLLOUT}test_routers.py::test_requests_that_do_not_follow_the_weight_hold",
            "tests/partners/test_gateway_api.py"
            "::test_edge_case_38_a_router_that_ignores_the_weight_is_found_by_the_answers",
        ),
    ),
    EdgeCase(
        39,
        "Backends in another namespace",
        "Refused: names are local to the namespace.",
        (f"{TRAFFIC}test_gateway_api.py::test_edge_case_39_backends_of_another_namespace_are_refused",),
    ),
    EdgeCase(
        40,
        "The target is deleted or renamed",
        "The loop says TargetNotFound, the rollout holds, and the loop can still be deleted.",
        (
            f"{HERE}test_pods.py::test_case_40_a_target_that_is_gone_holds_and_nothing_is_promoted",
            "tests/api/loop/test_obstacles.py"
            "::test_a_wrong_declaration_stalls_with_the_field_and_the_fix_and_makes_nothing",
            "tests/api/loop/test_deletion.py::test_a_loop_that_never_started_goes_at_once",
            "tests/unit/domain/lifecycle/test_loop_router.py"
            "::test_edge_case_40_a_route_that_is_gone_or_never_answers_does_not_keep_a_loop",
        ),
    ),
    EdgeCase(
        41,
        "A router's API is not installed",
        "RouterNotSupported; nothing starts.",
        (
            f"{ROLLOUT}test_routers.py::test_what_a_router_cannot_do_holds_with_its_words",
            "tests/api/adapters/test_traffic.py"
            "::test_edge_case_41_a_kind_that_is_not_served_is_told_from_an_object_that_is_not_there",
        ),
    ),
    EdgeCase(
        42,
        "The operator loses a right",
        "It is told by verb and resource, and tried again; nothing is decided on what could not be done.",
        (
            "tests/unit/domain/run/test_decide.py::test_a_refused_effect_is_told_and_tried_again",
            "tests/api/adapters/test_kubernetes.py"
            "::test_what_the_role_does_not_allow_is_forbidden_by_verb_and_resource",
            "tests/unit/controllers/test_recording.py"
            "::test_edge_42_a_record_that_cannot_be_written_delays_no_decision_and_shows_the_gap",
        ),
    ),
    EdgeCase(
        43,
        "Two loops on one target",
        "The older wins; the newer says why.",
        (
            "tests/unit/domain/lifecycle/test_loop_decide.py::test_the_older_loop_wins_a_target",
            "tests/unit/domain/lifecycle/test_loop_router.py"
            "::test_edge_case_43_of_two_loops_on_one_rule_the_older_wins",
        ),
    ),
    EdgeCase(
        44,
        "The size of status",
        "Every list is bounded; looks and epochs live in the run, and a full one fits an object.",
        (
            f"{HERE}test_operators.py::test_case_44_a_status_at_all_its_limits_still_fits_an_object",
            f"{HERE}test_operators.py::test_case_44_epochs_are_bounded_however_often_the_routing_changes",
            f"{EVIDENCE}test_looks.py::test_at_most_2000_looks_ever_exist",
        ),
    ),
    EdgeCase(
        45,
        "An approval for something else",
        "It is bound to the candidate and the step, and void after a change.",
        (
            f"{ROLLOUT}test_approvals.py::test_an_approval_is_bound_to_the_candidate_and_the_step",
            f"{ROLLOUT}test_approvals.py::test_an_approval_is_void_once_the_steps_have_changed",
        ),
    ),
    EdgeCase(
        46,
        "An older operator reads a newer one's status",
        "What it does not know holds, or is passed over; an abort is carried out.",
        (
            f"{HERE}test_operators.py::test_case_46_a_pause_for_a_reason_of_a_newer_version_holds",
            f"{HERE}test_operators.py::test_case_46_an_abort_for_a_reason_of_a_newer_version_is_carried_out",
            f"{HERE}test_operators.py::test_case_46_fields_of_a_newer_version_are_passed_over",
        ),
    ),
)
