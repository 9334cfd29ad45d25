from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class QueueMessagesBatchRequest(_message.Message):
    __slots__ = ("BatchID", "Messages")
    BATCHID_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    BatchID: str
    Messages: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, BatchID: _Optional[str] = ..., Messages: _Optional[_Iterable[bytes]] = ...) -> None: ...

class QueuesUpstreamRequest(_message.Message):
    __slots__ = ("RequestID", "Messages", "Brief")
    REQUESTID_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    BRIEF_FIELD_NUMBER: _ClassVar[int]
    RequestID: str
    Messages: _containers.RepeatedScalarFieldContainer[bytes]
    Brief: bool
    def __init__(self, RequestID: _Optional[str] = ..., Messages: _Optional[_Iterable[bytes]] = ..., Brief: bool = ...) -> None: ...

class SentMessages(_message.Message):
    __slots__ = ("Messages",)
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    Messages: _containers.RepeatedCompositeFieldContainer[SentMessage]
    def __init__(self, Messages: _Optional[_Iterable[_Union[SentMessage, _Mapping]]] = ...) -> None: ...

class SentMessage(_message.Message):
    __slots__ = ("MessageID", "ClientID", "Channel", "Metadata", "Body", "Tags", "Attributes", "Policy")
    MESSAGEID_FIELD_NUMBER: _ClassVar[int]
    CLIENTID_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    MessageID: str
    ClientID: str
    Channel: str
    Metadata: str
    Body: bytes
    Tags: _containers.RepeatedCompositeFieldContainer[SentTag]
    Attributes: bytes
    Policy: bytes
    def __init__(self, MessageID: _Optional[str] = ..., ClientID: _Optional[str] = ..., Channel: _Optional[str] = ..., Metadata: _Optional[str] = ..., Body: _Optional[bytes] = ..., Tags: _Optional[_Iterable[_Union[SentTag, _Mapping]]] = ..., Attributes: _Optional[bytes] = ..., Policy: _Optional[bytes] = ...) -> None: ...

class SentTag(_message.Message):
    __slots__ = ("Key", "Value")
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    Key: str
    Value: str
    def __init__(self, Key: _Optional[str] = ..., Value: _Optional[str] = ...) -> None: ...

class QueueMessagesBatchResponse(_message.Message):
    __slots__ = ("BatchID", "Results", "HaveErrors")
    BATCHID_FIELD_NUMBER: _ClassVar[int]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    HAVEERRORS_FIELD_NUMBER: _ClassVar[int]
    BatchID: str
    Results: _containers.RepeatedScalarFieldContainer[bytes]
    HaveErrors: bool
    def __init__(self, BatchID: _Optional[str] = ..., Results: _Optional[_Iterable[bytes]] = ..., HaveErrors: bool = ...) -> None: ...

class QueuesUpstreamResponse(_message.Message):
    __slots__ = ("RefRequestID", "Results", "IsError", "Error", "SentAt")
    REFREQUESTID_FIELD_NUMBER: _ClassVar[int]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    ISERROR_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    SENTAT_FIELD_NUMBER: _ClassVar[int]
    RefRequestID: str
    Results: _containers.RepeatedScalarFieldContainer[bytes]
    IsError: bool
    Error: str
    SentAt: int
    def __init__(self, RefRequestID: _Optional[str] = ..., Results: _Optional[_Iterable[bytes]] = ..., IsError: bool = ..., Error: _Optional[str] = ..., SentAt: _Optional[int] = ...) -> None: ...

class ReceiveQueueMessagesResponse(_message.Message):
    __slots__ = ("RequestID", "Messages", "MessagesReceived", "MessagesExpired", "IsPeak", "IsError", "Error")
    REQUESTID_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    MESSAGESRECEIVED_FIELD_NUMBER: _ClassVar[int]
    MESSAGESEXPIRED_FIELD_NUMBER: _ClassVar[int]
    ISPEAK_FIELD_NUMBER: _ClassVar[int]
    ISERROR_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    RequestID: str
    Messages: _containers.RepeatedScalarFieldContainer[bytes]
    MessagesReceived: int
    MessagesExpired: int
    IsPeak: bool
    IsError: bool
    Error: str
    def __init__(self, RequestID: _Optional[str] = ..., Messages: _Optional[_Iterable[bytes]] = ..., MessagesReceived: _Optional[int] = ..., MessagesExpired: _Optional[int] = ..., IsPeak: bool = ..., IsError: bool = ..., Error: _Optional[str] = ...) -> None: ...

class QueuesDownstreamResponse(_message.Message):
    __slots__ = ("TransactionId", "RefRequestId", "RequestTypeData", "Messages", "ActiveOffsets", "IsError", "Error", "TransactionComplete")
    TRANSACTIONID_FIELD_NUMBER: _ClassVar[int]
    REFREQUESTID_FIELD_NUMBER: _ClassVar[int]
    REQUESTTYPEDATA_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    ACTIVEOFFSETS_FIELD_NUMBER: _ClassVar[int]
    ISERROR_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    TRANSACTIONCOMPLETE_FIELD_NUMBER: _ClassVar[int]
    TransactionId: str
    RefRequestId: str
    RequestTypeData: int
    Messages: _containers.RepeatedScalarFieldContainer[bytes]
    ActiveOffsets: _containers.RepeatedScalarFieldContainer[int]
    IsError: bool
    Error: str
    TransactionComplete: bool
    def __init__(self, TransactionId: _Optional[str] = ..., RefRequestId: _Optional[str] = ..., RequestTypeData: _Optional[int] = ..., Messages: _Optional[_Iterable[bytes]] = ..., ActiveOffsets: _Optional[_Iterable[int]] = ..., IsError: bool = ..., Error: _Optional[str] = ..., TransactionComplete: bool = ...) -> None: ...

class StreamQueueMessagesResponse(_message.Message):
    __slots__ = ("RequestID", "StreamRequestTypeData", "Message", "IsError", "Error")
    REQUESTID_FIELD_NUMBER: _ClassVar[int]
    STREAMREQUESTTYPEDATA_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    ISERROR_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    RequestID: str
    StreamRequestTypeData: int
    Message: bytes
    IsError: bool
    Error: str
    def __init__(self, RequestID: _Optional[str] = ..., StreamRequestTypeData: _Optional[int] = ..., Message: _Optional[bytes] = ..., IsError: bool = ..., Error: _Optional[str] = ...) -> None: ...

class EventsPageRequest(_message.Message):
    __slots__ = ("Channel", "StartType", "StartValue", "Last", "Most")
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    STARTTYPE_FIELD_NUMBER: _ClassVar[int]
    STARTVALUE_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    MOST_FIELD_NUMBER: _ClassVar[int]
    Channel: str
    StartType: int
    StartValue: int
    Last: int
    Most: int
    def __init__(self, Channel: _Optional[str] = ..., StartType: _Optional[int] = ..., StartValue: _Optional[int] = ..., Last: _Optional[int] = ..., Most: _Optional[int] = ...) -> None: ...

class EventsPage(_message.Message):
    __slots__ = ("Events", "Last", "Next", "Size")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    Events: _containers.RepeatedScalarFieldContainer[bytes]
    Last: int
    Next: int
    Size: int
    def __init__(self, Events: _Optional[_Iterable[bytes]] = ..., Last: _Optional[int] = ..., Next: _Optional[int] = ..., Size: _Optional[int] = ...) -> None: ...

class EventsBatch(_message.Message):
    __slots__ = ("Events",)
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    Events: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, Events: _Optional[_Iterable[bytes]] = ...) -> None: ...

class QueuePartsRequest(_message.Message):
    __slots__ = ("ClientID", "Channel", "Count", "Wait", "IsPeek", "Most", "Fitting")
    CLIENTID_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    WAIT_FIELD_NUMBER: _ClassVar[int]
    ISPEEK_FIELD_NUMBER: _ClassVar[int]
    MOST_FIELD_NUMBER: _ClassVar[int]
    FITTING_FIELD_NUMBER: _ClassVar[int]
    ClientID: str
    Channel: str
    Count: int
    Wait: int
    IsPeek: bool
    Most: int
    Fitting: int
    def __init__(self, ClientID: _Optional[str] = ..., Channel: _Optional[str] = ..., Count: _Optional[int] = ..., Wait: _Optional[int] = ..., IsPeek: bool = ..., Most: _Optional[int] = ..., Fitting: _Optional[int] = ...) -> None: ...

class QueuePart(_message.Message):
    __slots__ = ("Runs", "IsLast", "Expired", "IsCut", "IsLarge", "Transaction", "Error", "Delayed", "Held")
    RUNS_FIELD_NUMBER: _ClassVar[int]
    ISLAST_FIELD_NUMBER: _ClassVar[int]
    EXPIRED_FIELD_NUMBER: _ClassVar[int]
    ISCUT_FIELD_NUMBER: _ClassVar[int]
    ISLARGE_FIELD_NUMBER: _ClassVar[int]
    TRANSACTION_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    DELAYED_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    Runs: _containers.RepeatedCompositeFieldContainer[QueueRun]
    IsLast: bool
    Expired: int
    IsCut: bool
    IsLarge: bool
    Transaction: str
    Error: str
    Delayed: int
    Held: int
    def __init__(self, Runs: _Optional[_Iterable[_Union[QueueRun, _Mapping]]] = ..., IsLast: bool = ..., Expired: _Optional[int] = ..., IsCut: bool = ..., IsLarge: bool = ..., Transaction: _Optional[str] = ..., Error: _Optional[str] = ..., Delayed: _Optional[int] = ..., Held: _Optional[int] = ...) -> None: ...

class QueueRun(_message.Message):
    __slots__ = ("Common", "Contents", "Sequences", "Timestamps", "ExpirationAt", "Digests")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    CONTENTS_FIELD_NUMBER: _ClassVar[int]
    SEQUENCES_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMPS_FIELD_NUMBER: _ClassVar[int]
    EXPIRATIONAT_FIELD_NUMBER: _ClassVar[int]
    DIGESTS_FIELD_NUMBER: _ClassVar[int]
    Common: bytes
    Contents: _containers.RepeatedScalarFieldContainer[bytes]
    Sequences: _containers.RepeatedScalarFieldContainer[int]
    Timestamps: _containers.RepeatedScalarFieldContainer[int]
    ExpirationAt: _containers.RepeatedScalarFieldContainer[int]
    Digests: bytes
    def __init__(self, Common: _Optional[bytes] = ..., Contents: _Optional[_Iterable[bytes]] = ..., Sequences: _Optional[_Iterable[int]] = ..., Timestamps: _Optional[_Iterable[int]] = ..., ExpirationAt: _Optional[_Iterable[int]] = ..., Digests: _Optional[bytes] = ...) -> None: ...

class QueuePartContents(_message.Message):
    __slots__ = ("Runs",)
    RUNS_FIELD_NUMBER: _ClassVar[int]
    Runs: _containers.RepeatedCompositeFieldContainer[QueueRunContents]
    def __init__(self, Runs: _Optional[_Iterable[_Union[QueueRunContents, _Mapping]]] = ...) -> None: ...

class QueueRunContents(_message.Message):
    __slots__ = ("Contents",)
    CONTENTS_FIELD_NUMBER: _ClassVar[int]
    Contents: _containers.RepeatedCompositeFieldContainer[QueueContent]
    def __init__(self, Contents: _Optional[_Iterable[_Union[QueueContent, _Mapping]]] = ...) -> None: ...

class QueueContent(_message.Message):
    __slots__ = ("MessageID", "ClientID", "Metadata", "Body", "Tags")
    class TagsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    MESSAGEID_FIELD_NUMBER: _ClassVar[int]
    CLIENTID_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    MessageID: str
    ClientID: str
    Metadata: str
    Body: bytes
    Tags: _containers.ScalarMap[str, str]
    def __init__(self, MessageID: _Optional[str] = ..., ClientID: _Optional[str] = ..., Metadata: _Optional[str] = ..., Body: _Optional[bytes] = ..., Tags: _Optional[_Mapping[str, str]] = ...) -> None: ...

class QueuePartsArrived(_message.Message):
    __slots__ = ("Transaction",)
    TRANSACTION_FIELD_NUMBER: _ClassVar[int]
    Transaction: str
    def __init__(self, Transaction: _Optional[str] = ...) -> None: ...

class EventsMissed(_message.Message):
    __slots__ = ("Missed",)
    MISSED_FIELD_NUMBER: _ClassVar[int]
    Missed: int
    def __init__(self, Missed: _Optional[int] = ...) -> None: ...
