"""What the specification has and this server does not: endpoints that are not served yet, and answers that one server
cannot give, each with the reason. Whatever is listed here and comes after all fails the test, as does what is in neither."""

ENCRYPTION = "end-to-end encryption comes with its own module"
APPLICATION_SERVICES = "there are no application services"
NOT_SERVED = {
    ENCRYPTION: [
        "claimKeys", "deleteRoomKeyBySessionId", "deleteRoomKeys", "deleteRoomKeysByRoomId", "deleteRoomKeysVersion", "getKeysChanges",
        "getRoomKeyBySessionId", "getRoomKeys", "getRoomKeysByRoomId", "getRoomKeysVersion", "getRoomKeysVersionCurrent",
        "postRoomKeysVersion", "putRoomKeyBySessionId", "putRoomKeys", "putRoomKeysByRoomId", "putRoomKeysVersion", "queryKeys",
        "sendToDevice", "uploadCrossSigningKeys", "uploadCrossSigningSignatures", "uploadKeys"],
    APPLICATION_SERVICES: [
        "getProtocolMetadata", "getProtocols", "pingAppservice", "queryLocationByAlias", "queryLocationByProtocol", "queryUserByID",
        "queryUserByProtocol", "updateAppserviceRoomDirectoryVisibility"],
    "one logs in here by password, not elsewhere": ["getAuthMetadata", "redirectToIdP", "redirectToSSO"],
    "the older forms of /sync; clients of today use none of them": ["getEvents", "getOneEvent", "initialSync", "peekEvents", "roomInitialSync"],
    "search, previews of links, spaces, reports and moderation come later": [
        "getAdminLockUser", "getAdminSuspendUser", "getMutualRooms", "getSpaceHierarchy", "getUrlPreview", "getUrlPreviewAuthed",
        "getWellknownPolicy", "reportEvent", "reportRoom", "reportUser", "search", "setAdminLockUser", "setAdminSuspendUser"],
}

ONE_SERVER = "one server, without federation: nothing is fetched from another"
LOCAL_FILES = "files are served from here, not from another address"
NO_ADDRESSES = "no e-mail addresses and telephone numbers are kept: every such request is refused"
NO_BLOCKING = "blocking of invitations is of v1.18; this server speaks v1.13"

# (operation or *, status, code or *, reason)
IMPOSSIBLE = [
    ("*", 307, "*", LOCAL_FILES),
    ("*", 308, "*", LOCAL_FILES),
    ("*", 502, "*", ONE_SERVER),
    ("*", 403, "M_INVITE_BLOCKED", NO_BLOCKING),
    ("*", 400, "M_APPSERVICE_LOGIN_UNSUPPORTED", APPLICATION_SERVICES),
    ("*", 400, "M_EXCLUSIVE", APPLICATION_SERVICES),
    ("*", 400, "M_SERVER_NOT_TRUSTED", NO_ADDRESSES),
    ("*", 400, "M_THREEPID_IN_USE", NO_ADDRESSES),
    ("requestTokenTo3PIDEmail", 403, "*", NO_ADDRESSES),
    ("requestTokenTo3PIDMSISDN", 403, "*", NO_ADDRESSES),
    ("requestTokenTo3PIDEmail", 400, "M_INVALID_PARAM", NO_ADDRESSES),
    ("requestTokenTo3PIDMSISDN", 400, "M_INVALID_PARAM", NO_ADDRESSES),
    ("requestTokenToResetPasswordEmail", 403, "*", NO_ADDRESSES),
    ("requestTokenToResetPasswordMSISDN", 403, "*", NO_ADDRESSES),
    ("add3PID", 200, "*", NO_ADDRESSES),
    ("add3PID", 401, "*", NO_ADDRESSES),
    ("bind3PID", 200, "*", NO_ADDRESSES),
    ("post3PIDs", 200, "*", NO_ADDRESSES),
    ("post3PIDs", 403, "M_THREEPID_AUTH_FAILED", NO_ADDRESSES),
    ("requestTokenTo3PIDEmail", 200, "*", NO_ADDRESSES),
    ("requestTokenTo3PIDMSISDN", 200, "*", NO_ADDRESSES),
    ("requestTokenToRegisterEmail", 200, "*", NO_ADDRESSES),
    ("requestTokenToRegisterMSISDN", 200, "*", NO_ADDRESSES),
    ("requestTokenToResetPasswordEmail", 200, "*", NO_ADDRESSES),
    ("requestTokenToResetPasswordMSISDN", 200, "*", NO_ADDRESSES),
    ("inviteBy3PID", 200, "*", NO_ADDRESSES),
    ("inviteBy3PID", 403, "M_FORBIDDEN", NO_ADDRESSES),
    ("inviteUser", 400, "M_UNSUPPORTED_ROOM_VERSION", ONE_SERVER),
    ("setPushRule", 404, "*", "a rule that is not there is made"),
    ("getTokenOwner", 403, "*", APPLICATION_SERVICES),
    ("updateDevice", 201, "*", APPLICATION_SERVICES),
    ("getLoginFlows", 404, "*", "for servers where one logs in elsewhere"),
    ("getWellknown", 404, "*", "the server's address is always known: --public-url, or its listener"),
    ("getUserProfile", 403, "*", "profiles of one server can be read by everybody"),
    ("getProfileField", 403, "*", "profiles of one server can be read by everybody"),
    ("deleteProfileField", 400, "M_BAD_JSON", "a DELETE has no body that could be wrong"),
]

# Where a token is asked for, or none, unlike in the specification.
OTHER_AUTH = {
    "changePassword": ("required", "without a session one would be known by an e-mail address alone"),
    "deactivateAccount": ("required", "without a session one would be known by an e-mail address alone"),
    "getPublicRooms": ("required", "what rooms there are is for the people of this server to know"),
    "getVersions": ("none", "every person is offered the same"),
}


def reason_of(operation, status, code):
    for row in IMPOSSIBLE:
        if row[0] in ("*", operation) and row[1] == status and row[2] in ("*", code):
            return row
    return None
