"""Turns one GraphQL request into its answer, and knows nothing of HTTP."""

from gateway.admission_queue import Admission, AdmissionLimits, Overloaded
from gateway.answer_cache import AnswerCache, AnswerKey, CachedAnswer
from gateway.begun_work import Begun
from gateway.calling_client import Caller, caller
from gateway.client_quota import Quota
from gateway.document_cache import DocumentCache
from gateway.error_format import codes_of, field_error, masked, overload
from gateway.federation_router import FederationRouter
from gateway.graphql_answer import GraphQLAnswer, RequestFailure, answer_of, stopped_by
from gateway.operation_log import OperationLog
from gateway.plan_explanation import Unplanned, explain
from gateway.prepared_request import GraphQLRequest, PreparedRequest
from gateway.request_execution import Gateway
from gateway.running_subscriptions import Subscriptions

__all__ = [
    "Admission",
    "AdmissionLimits",
    "AnswerCache",
    "AnswerKey",
    "Begun",
    "CachedAnswer",
    "Caller",
    "DocumentCache",
    "FederationRouter",
    "Gateway",
    "GraphQLAnswer",
    "GraphQLRequest",
    "OperationLog",
    "Overloaded",
    "PreparedRequest",
    "Quota",
    "RequestFailure",
    "Subscriptions",
    "Unplanned",
    "answer_of",
    "caller",
    "codes_of",
    "explain",
    "field_error",
    "masked",
    "overload",
    "stopped_by",
]
