"""Turns one GraphQL request into its answer, and knows nothing of HTTP."""

from gateway.admission_queue import Admission, AdmissionLimits
from gateway.answer_cache import AnswerCache, AnswerKey, CachedAnswer
from gateway.current_caller import ROUTER, Caller, caller
from gateway.document_cache import DocumentCache
from gateway.error_format import codes_of, field_error, later_error, masked
from gateway.fair_use import REQUEST, FairUse, units_to_send
from gateway.federation_router import FederationRouter
from gateway.gateway import Gateway
from gateway.graphql_answer import GraphQLAnswer, RequestFailure, answer_of, stopped_by
from gateway.operation_log import OperationLog
from gateway.plan_explanation import Unplanned, explain
from gateway.prepared_request import GraphQLRequest, PreparedRequest
from gateway.quota_counter import ConcurrentQuota
from gateway.retry_later_errors import RateLimited, RetryLater
from gateway.run_until_first_wait import EagerAwaitable
from gateway.running_subscriptions import Subscriptions

__all__ = [
    "REQUEST",
    "ROUTER",
    "Admission",
    "AdmissionLimits",
    "AnswerCache",
    "AnswerKey",
    "CachedAnswer",
    "Caller",
    "ConcurrentQuota",
    "DocumentCache",
    "EagerAwaitable",
    "FairUse",
    "FederationRouter",
    "Gateway",
    "GraphQLAnswer",
    "GraphQLRequest",
    "OperationLog",
    "PreparedRequest",
    "RateLimited",
    "RequestFailure",
    "RetryLater",
    "Subscriptions",
    "Unplanned",
    "answer_of",
    "caller",
    "codes_of",
    "explain",
    "field_error",
    "later_error",
    "masked",
    "stopped_by",
    "units_to_send",
]
