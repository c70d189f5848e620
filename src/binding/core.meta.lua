---@meta mde.core

-- mde.core.meta: what the C functions of mde.core take and return, for editors and type checkers.
-- It is never loaded. One file, as it describes one module and is looked things up in.
-- luacheck: ignore

---@class mde.core
---@field alert mde.core.alert
---@field base64 mde.core.base64
---@field cap mde.core.cap
---@field change mde.core.change
---@field comment mde.core.comment
---@field coroutine mde.core.coroutine
---@field cursor mde.core.cursor
---@field device mde.core.device
---@field device_list mde.core.device_list
---@field guard mde.core.guard
---@field header mde.core.header
---@field history mde.core.history
---@field http1 mde.core.http1
---@field indicator mde.core.indicator
---@field json mde.core.json
---@field kql mde.core.kql
---@field limiter mde.core.limiter
---@field name mde.core.name
---@field nearest mde.core.nearest
---@field number mde.core.number
---@field odata mde.core.odata
---@field outcome mde.core.outcome
---@field redact mde.core.redact
---@field refusal mde.core.refusal
---@field response_actions table<string|integer, mde.core.ResponseAction|string> the rows by name, and the names in the
--- order in which they are shown
---@field secret mde.core.secret
---@field service_time mde.core.service_time
---@field show mde.core.show
---@field stop_rules mde.core.stop_rules
---@field text mde.core.text
---@field timestamp mde.core.timestamp
---@field token mde.core.token
---@field url mde.core.url
---@field waves mde.core.waves
local core = {}

---@class mde.core.alert which devices an alert is about (src/core/evidence.h), and under which key they are acted on
--- (src/core/alert_key.h)
local alert = {}

---@class mde.core.EvidencePiece a piece of evidence about a device
---@field id? string
---@field aadDeviceId? string
---@field computerDnsName? string
---@field onboardingStatus? string
---@field roles? string[]

---@class mde.core.EvidenceDevice
---@field pieces integer[] the places of its pieces
---@field problem? "no_id"|"malformed_id"|"not_onboarded" why it cannot be acted on
---@field is_contextual boolean it was seen nearby, and no piece says that it was hit
---@field is_target boolean it may be acted on

---@param pieces mde.core.EvidencePiece[] plain tables
---@return mde.core.EvidenceDevice[]
function alert.devices(pieces) end

---@param id string
---@return string key of at most 47 characters
function alert.key(id) end

---@class mde.core.base64
local base64 = {}

---@param bytes string
---@return string text padded
function base64.encode(bytes) end

---@param bytes string
---@return string text in the alphabet for URLs, without padding
function base64.encode_url(bytes) end

---@param text string in either alphabet, padded or not
---@return string? bytes nil if it is malformed
function base64.decode(text) end

---@class mde.core.cap how many of one response there may be in an hour, and which were sent (src/core/cap.h). Times are seconds on
--- one clock that only goes forward
local cap = {}

---@class mde.cap
local counted = {}

---It knows no send, and is not whole.
---@param limit number how many may be sent in an hour, 0 to 100000; math.huge: all, and nothing is kept
---@return mde.cap
function cap.new(limit) end

---@return boolean whole what was sent before is in it, or the limit does not ask
function counted:is_whole() end

---Something was sent that it was not told of: it is not whole.
function counted:doubt() end

---@param now number
---@return number remaining how many may go now, as far as it knows; math.huge: all
function counted:remaining(now) end

---@param now number
---@return number? seconds until the next may go, as far as it knows, 0: at once; nil: never
function counted:wait(now) end

---Counts a send that is about to go. Raises for lack of memory; it must not go then.
---@param id string its operation id, 1 to 64 bytes in any case
---@param now number
---@param all_the_same? boolean it lifts the cap: it counts but is not refused
---@return number? at its time, by which it is known with its id; nil: nothing is changed, and it must not go
---@return "full"|"uncounted"|nil why not
function counted:take(id, now, all_the_same) end

---It did not go.
---@param id string
---@param at number
---@return boolean known
function counted:give_back(id, at) end

---It went at `sent`, which is its time then.
---@param id string
---@param at number
---@param sent number
---@return boolean changed false: it is not known, or this is not later
function counted:went(id, at, sent) end

---Adds what was sent before, unless it is whole. It is whole then. Raises for lack of memory; nothing is changed then.
---@param rows table[] of the service's list of actions
---@param service_now number the service's time at `now`, in Unix seconds
---@param now number
---@param verb? string of which response, default restrict
---@param file? string a file's SHA-1: what is about another one does not count
function counted:merge(rows, service_now, now, verb, file) end

---@param now number
---@return string bytes
function counted:pack(now) end

---Takes what another has packed in the place of its own. Raises for lack of memory.
---@param bytes string
---@param now number
---@return boolean understood false: it knows no send, and is not whole
---@return "other"|"damaged"|"clock"|nil why not: of another version or no such thing; damaged; an hour or more from now
function counted:unpack(bytes, now) end

---@class mde.core.change the life of one response action (src/core/change.h): says what it wants, and is told what
--- happened. Raises where it is told what it does not want
local change = {}

---@class mde.core.change.Order
---@field verb string the name of a response action: "restrict"
---@field machine_id string
---@field operation_id string
---@field incident? string
---@field subject? string the scope or the file's SHA-1 that is wanted, as the response's row says
---@field comment? string the whole of it, with its suffix; only a lost one may be without
---@field keyed boolean the operation id is the caller's own
---@field look boolean
---@field resend boolean
---@field cancel_opposite boolean
---@field dry_run boolean
---@field decided_at? number Unix seconds by the service's clock
---@field decided_on? string the id of the action that the decision rests on
---@field operations? string[] of a release: it is sent only if all that hold the device carry one of these ids
---@field expired? boolean of a release: it is sent only if all that hold the device have expired
---@field withdrawn_since? number Unix seconds: one like it of then or later that somebody has taken back is not repeated

---@param order mde.core.change.Order
---@param now number when the caller asked for it, by the driver's clock
---@return mde.core.change
function change.new(order, now) end

--- Begins in the middle: with finding out the outcome of a send whose answer was lost.
---@param order mde.core.change.Order
---@param lost { sent_at?: number, sends?: integer, looked?: boolean } when it left first, in Unix seconds by the
--- service's clock; how often it left, default 1; whether somebody had looked: what that had is told by change:see
---@param now number by the driver's clock
---@return mde.core.change
function change.lost(order, lost, now) end

--- Goes on where another process has packed it. What had left by then is to be told as lost.
---@param order mde.core.change.Order
---@param bytes string
---@param now number by this driver's clock
---@param away number seconds since it was packed, by a clock that both processes have
---@return mde.core.change? change nil for anything that is not a packed change
function change.unpack(order, bytes, now, away) end

---@param now number by the driver's clock
---@return string bytes
function change:pack(now) end

--- The caller knew of this action before it decided.
---@param id string a GUID
---@param status string
function change:see(id, status) end

---@return "nothing"|"history"|"slot"|"cancel"|"end"|"send"|"sleep" want
---@return "cached"|"now"|"own"|number|nil how of a history which list will do; of a sleep the seconds
---@return "look"|"send"|"find" phase
function change:next() end

---@param rows table[] the device's actions
---@param list { cached?: boolean, shared?: boolean, absent?: boolean, single?: boolean, read_at: number, told_at: number, began_at: number, latest: number }
---@return table? row that the next want or the result is about
---@return table? overturned the newest opposite action that succeeded, against which a send would go
function change:history(rows, list) end

---@param row table the answer to the send
---@param now number by the driver's clock
---@param sent_at? number Unix seconds by the service's clock
function change:answer(row, now, sent_at) end

---@param event string
---@param now number by the driver's clock
---@param sent_at? number Unix seconds by the service's clock
---@return boolean may_leave false to "sending" if it must not leave; else true
function change:tell(event, now, sent_at) end

---@return { fate: string, reason?: string, sends: integer, looked: boolean, recorded: boolean, reconciled: boolean, comment_cut: boolean, slot?: "return"|"count" }
function change:result() end

---@class mde.core.comment the comment of an action (src/core/comment.h)
local comment = {}

---@param text string the user's
---@param incident? string
---@param operation_id string
---@return string? whole with its suffix; nil if it cannot be composed
---@return boolean|"empty"|"not_utf8"|"nul"|"too_long"|"incident"|"operation" changed whether the text in it is not
--- the given one; or what is wrong
function comment.compose(text, incident, operation_id) end

---@param bytes string
---@return string text that can be composed
function comment.make(bytes) end

---@param whole? string
---@return string text
---@return string? incident
---@return string? operation_id
function comment.parse(whole) end

---@param text string
---@return boolean
function comment.incident_valid(text) end

---@param text string
---@return boolean
function comment.operation_valid(text) end

---@param text string
---@return boolean
function comment.key_valid(text) end

---@param operation_id? string
---@return number? seconds Unix seconds until when what carries it is meant to hold; nil: until it is released
function comment.expiry(operation_id) end

---@param name string a key, or an operation id that was drawn
---@param seconds number Unix seconds
---@return string? operation_id nil if it would be too long, or that is no time
function comment.with_expiry(name, seconds) end

---@param random string 16 bytes
---@return string operation_id
function comment.operation(random) end

---@class mde.core.coroutine
local coroutine = {}

---What coroutine.isyieldable tells, where Lua lacks it or the host takes it away.
---@return boolean? can_yield whether the caller could be suspended here; nil where Lua cannot tell (5.1)
function coroutine.is_yieldable() end

---@class mde.core.cursor which alerts of a list that grows were handed over (src/core/cursor.h). Times are Unix seconds
---@field TAIL_MAX integer so many bytes of changes may be put behind the others; of more, all is written again
local cursor = {}

---@class mde.core.cursor.Limits
---@field by_status? boolean an alert is new again when its status is another
---@field overlap? number seconds; default 900
---@field span? number seconds; default 86400
---@field sweep_every? number seconds; default 3600
---@field delay? number seconds before an alert that failed is tried again; default 60
---@field tries? integer 1 to 100; default 3

---@class mde.cursor
local read = {}

---It knows nothing, and asks for what comes from a time on. Raises for a limit that is out of its range.
---@param first number
---@param limits? mde.core.cursor.Limits
---@return mde.cursor
function cursor.new(first, limits) end

---A read begins, in the place of one that has not ended.
---@param now number
---@return number since when the rows are to be asked for, in whole seconds, by their last change and inclusive
function read:read(now) end

---A row of the read. What is no text is absent. Raises for lack of memory.
---@param now number
---@param id any
---@param updated any a time as the service writes it
---@param created any the same
---@param status any
---@return "hand_over"|"known"|"later"|"old"|"interrupted"|"no_id"|"no_time"|"full" answer
function read:tell(now, id, updated, created, status) end

---Every row of the read was told.
---@return integer gone how many were set aside, because they are not told any more
function read:end_read() end

---It is handed over now.
---@param id string
---@return integer? attempt nil: it does not wait
function read:begin(id) end

---How that ended.
---@param id string
---@param how "succeeded"|"failed"|"put_off" put_off: this was no try
---@param now number
---@param not_before? number the earliest time of another try
---@return "done"|"waiting"|"aside"|nil state nil: it had not begun
function read:finish(id, how, now, not_before) end

---What was set aside waits again.
---@param id string
---@return boolean changed false: it was not set aside
function read:again(id) end

---@param state "waiting"|"begun"|"done"|"aside"|"left"
---@return string[] ids in the order in which they came
function read:in_state(state) end

---@return { done: number, known: integer, waiting: integer, aside: integer } counts done: how often one ended well
function read:counts() end

---@param now number
---@return number seconds until a retry or a sweep is due
function read:wait(now) end

---@param now number
---@return number seconds for which nobody knows what has come
function read:behind(now) end

---Raises for lack of memory; all is to be packed again then.
---@return string bytes what has changed since the last time, "" for nothing, to be put behind the others
function read:changes() end

---@return string bytes all that is known
function read:pack() end

---@return boolean must all is to be packed again in the place of the changes, which have too many ids with the others
function read:must_pack() end

---@return integer bytes of all that is known
function read:size() end

---Takes what another has written in the place of its own. Raises for lack of memory.
---@param bytes string
---@return integer? used so many of them are whole; the rest was not safe, and if there is any, all is to be packed again
---@return "other"|"mode"|"damaged"|nil why not: of another version or no such thing; of the other by_status; damaged
function read:unpack(bytes) end

---@class mde.core.device which record of the tenant a name means (src/core/device.h). A record is a row of the service's
--- list of machines; a field of another type than it is meant to have says nothing
local device = {}

---@alias mde.device_kind "machine_id"|"guid"|"full_name"|"bare_name"|"ip_address"

---Tells what a text that is to mean a device looks like.
---@param text string
---@return mde.device_kind? kind
---@return string canonical ids and addresses in lower case, names in their own, without blanks around and a dot at
---the end; or, if there is no kind, why the text can mean no device: a phrase behind `the device "..." `
---@return string? reason why an address means no device
function device.kind(text) end

---Whether a text is a GUID, the id of a device, a tenant or an application: hexadecimal digits in groups of 8-4-4-4-12.
---@param text string
---@return boolean
function device.is_guid(text) end

---The part of a name before the first dot inside it, in small letters. Whatever answers to a name has the same.
---@param name string
---@return string
function device.host(name) end

---Whether a record can be what is asked for.
---@param asked string an id or a name
---@param record table
---@return boolean
function device.answers(asked, record) end

---What can be done with a record.
---@param record table
---@return "unidentified"|"merged"|"not_onboarded"|"inactive"|"live"
function device.standing(record) end

---Chooses the record that is asked for.
---@param asked string? an id or a name; nil: all of the records answer
---@param records table[]
---@return "one"|"none"|"several"|"unidentified"|"merged"|"merged_or_not_onboarded"|"not_onboarded" choice
---@return integer[] places in the list of those that it is about, the one seen last first
function device.choose(asked, records) end

---Tells which identifier cannot mean a device.
---@param record table
---@param identifiers string[]
---@return integer? place of the first one; nil if all can
function device.differs(record, identifiers) end

---@class mde.core.device_list
local device_list = {}

---@class mde.core.device_list.Cell
---@field text string
---@field reason string why it names no device: a phrase behind `the device "..." `
---@field column integer from 1

---@class mde.core.device_list.Entry the identifiers of one device, the one that counts first
---@field [integer] string
---@field line integer where the record begins
---@field proof? integer what shows that it is no piece of a note; for `counts`
---@field passed_over? mde.core.device_list.Cell[] cells that can be no identifier of the sort of their column
---@field flaw? mde.core.device_list.Cell it names no device, and should
---@field instead? string with `flaw`: the heading of the column whose name may be meant
---@field odd? mde.core.device_list.Odd it is not like the others, and names none

---@class mde.core.device_list.Odd: mde.core.device_list.Trouble
---@field to_end boolean nothing behind it is understood, either
---@field text string what names the device in there, as far as that could be read

---@class mde.core.device_list.Column
---@field number integer from 1
---@field heading string its first 64 bytes

---@class mde.core.device_list.Trouble
---@field about "framing"|"column"|"record"
---@field problem string a phrase
---@field line integer
---@field column? integer the character in the line
---@field candidates? mde.core.device_list.Column[] columns to choose from

---Reads which devices a file names.
---@class mde.core.device_list.Reader
local reader = {}

---Tells whether a text can be the heading of a column: of at most 64 bytes, and not only blanks and underscores.
---@param text string
---@return boolean
function device_list.is_heading(text) end

---@param column? string|integer a heading, or a number from 1 to 256
---@return mde.core.device_list.Reader
function device_list.new(column) end

---Takes the next bytes of the file. However they are cut, they give the same.
---@param bytes? string nil: the end of the file
---@return mde.core.device_list.Entry[] entries
---@return mde.core.device_list.Trouble? trouble why the list is refused
function reader:feed(bytes) end

---@return integer? line of the first record that casts doubt on the others
function reader:doubt() end

--- Tells at the end of the file whether an entry counts, where what is odd is left out.
---@param proof? integer of the entry
---@return boolean
function reader:counts(proof) end

---@return integer? number of the column that names the devices; nil before the first record
---@return mde.core.device_list.Column[]? columns those that name them, by their headings
function reader:columns() end

---@return integer comments lines that begin with #
---@return integer notes
---@return integer[] lines of the first five comments
function reader:left_out() end

---@class mde.core.device_list.Span a cell of several lines
---@field line integer where it begins
---@field lines integer

---@return mde.core.device_list.Span[] spans the first five
---@return integer count of all
function reader:spans() end

---@class mde.core.guard whether a machine may be restricted (src/core/guard.h)
---@field rules string[] the names of all rules, in the order in which they are judged
local guard = {}

---@class mde.core.guard.Protect texts without a flaw; a rule that has nothing to protect is not in force
---@field tags? string[]
---@field names? string[]
---@field device_values? string[]
---@field servers? boolean
---@field platforms? string[]

---@class mde.core.guard.Broken a rule that protects the machine
---@field rule string
---@field reason "matches"|"missing"|"not_a_text"|"not_a_list"|"item_not_a_text"|"too_long"
---@field found? string the tag, the name or the value of the record, where that is a text
---@field by? string the text of the rule, where it matches

---@class mde.core.guard.Rules
local rules = {}

---@param protect mde.core.guard.Protect
---@return mde.core.guard.Rules rules they need nothing of the table any more
function guard.new(protect) end

---Why a text of a rule protects nothing.
---@param rule string
---@param text string
---@return "empty"|"blank"|"control"|"bracket"|"long"|"unknown"|"wildcard"|nil flaw
function guard.flaw(rule, text) end

---The one form of a tag: two texts are one tag if these are equal.
---@param text string
---@return string
function guard.tag(text) end

---@return string[] names of the rules in force, in their order
function rules:rules() end

---@param record table what the service said of a machine, of whatever types
---@param lifted table<string, boolean> the rules that are not to be asked
---@return mde.core.guard.Broken[] broken in the order of the rules; empty: it may be restricted
function rules:judge(record, lifted) end

---@class mde.core.header
local header = {}

---@class mde.challenge
---@field scheme string in lower case
---@field token68? string
---@field parameters table<string, string> names in lower case; values without quotes and backslashes

---How long to wait, by retry-after-ms, x-ms-retry-after-ms or retry-after: the first of them that can be
---understood. A date is relative to the response's own Date, else to the wall time. Of a header that came
---several times every part has to be understood, and the longest wait counts. At most 2147483647.
---@param headers table<string, string> lower-case name to value
---@param wall_time number Unix seconds
---@param status? integer with 429, what the message says counts where no header does
---@param message? string the service's
---@return number? seconds counted from now, at least 0; nil if nothing says so
---@return "invalid"? why if a header is there and none can be understood
function header.retry_after(headers, wall_time, status, message) end

---Reads any of the three date forms of HTTP, and nothing around it.
---@param text string
---@param wall_time number Unix seconds; decides on the century of a two-digit year
---@return integer? seconds Unix seconds
function header.date(text, wall_time) end

---Reads the value of WWW-Authenticate.
---@param text string
---@return mde.challenge[]? challenges nil if malformed
function header.challenges(text) end

---Whether a text is a token, which a header's name and a method are.
---@param text string
---@return boolean
function header.is_token(text) end

---@class mde.core.history what a device's restricts and releases mean (src/core/history.h)
local history = {}

---@param rows table[] the device's actions
---@param machine string its id
---@param latest? number Unix seconds, after which no time of an action is usable
---@param response? string one that holds, default restrict
---@return string state "none", "releasing", "released" or "unclear"; or the `changing` or `state` of the response's row:
--- "restricting", "restricted"
---@return table? row that it rests on
function history.state(rows, machine, latest, response) end

---@class mde.core.claim which restrictions are one's own to take back (src/core/claim.h)
---@field incidents? string[] those of any of these
---@field since? number Unix seconds: those of the incidents that were created then or later
---@field operations? string[] those with any of these operation ids
---@field now? number the service's time, Unix seconds: those that have expired by then
---@field ended? string[] incidents that hold no longer

---@param rows table[]
---@param machine string
---@param claim mde.core.claim
---@param latest? number Unix seconds
---@param response? string one that holds, default restrict
---@return table[] ours the actions of it that hold the machine and that the claim covers
---@return table[] others the others that hold it
function history.holders(rows, machine, claim, latest, response) end

---@param status any
---@return "pending"|"succeeded"|"failed"|"cancelled"
function history.status(status) end

---Whether an action among them cannot be identified: such a list never says that nothing was executed, nor that what has
---ended still holds.
---@param actions table[] as the service lists them
---@param machine string that they were asked for
---@param response? string one that makes actions, default restrict
---@return boolean
function history.is_incomplete(actions, machine, response) end

---Whether an action of this status may take the place of what is known of it: what has ended stays so.
---@param known any the status that is known
---@param told any the one that is told
---@return boolean
function history.replaces(known, told) end

---@class mde.core.http1
local http1 = {}

---@alias mde.http1.body "none"|"chunked"|"length"|"close"

---@class mde.http1.request
---@field method string
---@field target string
---@field version "1.0"|"1.1"
---@field headers table<string, string> lower-case name to value, several values joined by ", "
---@field body mde.http1.body
---@field length? integer if body is "length"

---@class mde.http1.response
---@field status integer
---@field reason string
---@field version "1.0"|"1.1"
---@field headers table<string, string> lower-case name to value, several values joined by ", "
---@field body mde.http1.body
---@field length? integer if body is "length"
---@field reusable? true if the connection may carry another request once the body has been read

---Reads a request's head.
---@param bytes string
---@param from? integer index of its first byte; 1 by default
---@return mde.http1.request? head
---@return integer|"more"|"bad"|"too_long" next the index behind the head; or that it is incomplete, malformed or longer
--- than a head may be
---@return string? reason what is wrong, if "bad" or "too_long"
function http1.request_head(bytes, from) end

---Reads a response's head. Interim (1xx) answers are returned like any other.
---@param bytes string
---@param from? integer index of its first byte; 1 by default
---@param request_method? string of the request that is answered; "HEAD" has no body
---@return mde.http1.response? head
---@return integer|"more"|"bad"|"too_long" next the index behind the head; or that it is incomplete, malformed or longer
--- than a head may be
---@return string? reason what is wrong, if "bad" or "too_long"
function http1.response_head(bytes, from, request_method) end

---@class mde.http1.chunks
local chunks = {}

---Begins to decode a chunked body.
---@param limit number the most bytes the body may have
---@return mde.http1.chunks decoder
function http1.chunks(limit) end

---Takes the next bytes of the body. However they are cut, they give the same. After the end, or after an
---error, every call answers the same again.
---@param bytes string
---@return string? data the part of the body among them
---@return boolean|"bad"|"too_long" done whether the body is complete; or that it is malformed or longer than allowed,
--- if data is nil
---@return string? rest what stood behind the end of the body; or what is wrong, if data is nil
function chunks:feed(bytes) end

---@class mde.core.indicator whether a text can be the value of an indicator, and whom it would hit
---(src/core/indicator.h)
local indicator = {}

---@alias mde.IndicatorType "FileSha1"|"FileSha256"|"FileMd5"|"CertificateThumbprint"|"IpAddress"|"DomainName"|"Url"
---@alias mde.core.IndicatorFlaw "empty"|"not_a_hash"|"other_hash"|"not_an_address"|"range"|"ambiguous"|"not_a_domain"
---| "wildcard"|"address"|"url"|"not_a_url"|"user_in_url"|"too_long"
---@alias mde.IndicatorReach "empty_file"|"any_address"|"own_address"|"private_address"|"top_level_domain"
---| "vital_domain"

---Why a text is no value of a type; nil if it is one.
---@param type mde.IndicatorType
---@param value string
---@return mde.core.IndicatorFlaw? flaw
function indicator.flaw(type, value) end

---Whom a value would hit that nobody means; nil: as far as is known nobody. Raises for a value with a flaw.
---@param type mde.IndicatorType
---@param value string
---@return mde.IndicatorReach? reach
function indicator.reach(type, value) end

---@class mde.core.json
local json = {}

---Makes fields that are null absent, lists without gaps, and integral floats integers where Lua has them.
---@generic T
---@param value T changed in place
---@param null any what the decoder puts in the place of null
---@return T? value
---@return string? reason if it holds NaN or an infinity, or more than 64 levels; it is of no use then
function json.clean(value, null) end

---Counts the items of the list that is a member of an object; a decoder makes the same of [] and {}, and nulls in a
---list are lost in `clean`.
---@param text string JSON
---@param name string of the member, in ASCII
---@return integer? count nil if it is no list, if there is no such member or several, or if the text is no object
function json.list(text, name) end

---Makes strings of whole numbers beyond 2^53, which a decoder would round (src/core/json_digits.h).
---@param text string JSON
---@return string
function json.digits(text) end

---Makes JSON of a reply that is nearly that: what is no character in a string becomes U+FFFD, and what is no value
---(NaN, 1e999, lists and objects nested too deep) null. A text that is cut stays cut.
---@param text string
---@return string
function json.repair(text) end

---@class mde.core.kql values on their way into a query of advanced hunting, and its names (src/core/kql.h)
local kql = {}

---@alias mde.kql_type "string"|"long"|"real"|"bool"|"datetime"|"timespan"|"guid"
---@alias mde.kql_flaw "not_utf8"|"not_finite"|"not_a_time"|"not_a_span"|"not_a_guid"

---A value as a literal of its type. Raises for a value of another Lua type, and for a long that is no whole number.
---@param of mde.kql_type
---@param value string|number|boolean Unix seconds of a datetime, seconds of a timespan
---@return string? literal nil if it cannot be written
---@return mde.kql_flaw? flaw why
function kql.literal(of, value) end

---Values of one type as one that `in` takes: dynamic(["a","b"]).
---@param of mde.kql_type
---@param values any[]
---@return string? literal nil if one of them cannot be written
---@return mde.kql_flaw? flaw why
---@return integer? place of the first that cannot
function kql.list(of, values) end

---Tells why a parameter cannot have a name.
---@param name string
---@return "not_a_name"|"like_a_column"|"keyword"|nil flaw nil: it can
function kql.name_flaw(name) end

---Tells what a query does with a name.
---@param query string
---@param name string
---@return "read"|"defined"|"called"|nil use nil: the query has no such name
function kql.use(query, name) end

---The names in a query, each once, in the order in which they come first; those in strings and comments are none.
---@param query string
---@return string[]
function kql.names(query) end

---@class mde.core.limiter
local limiter = {}

---How many sends there may be in how much time, counted exactly. Times are finite numbers of seconds on one
---clock, and need not be told in order.
---@class mde.limiter
local sends = {}

---A limiter that has sent nothing yet. A further window may follow: count, seconds.
---@param count integer at most so many sends, 0 to 100000; 0 lets nothing pass
---@param seconds number within so much time
---@param ... number
---@return mde.limiter
function limiter.new(count, seconds, ...) end

---Records a send, whether or not there was room for it. Raises for lack of memory; nothing must be sent then.
---@param time number
function sends:take(time) end

---The send recorded at this time did not happen.
---@param time number
---@return boolean known
function sends:give_back(time) end

---@param now number
---@param reserve? integer so many sends of each window are left to others
---@return number? seconds until the next send may go, 0: at once; nil: never
function sends:wait(now, reserve) end

---@param now number
---@return integer limit how many may go at most at once
---@return integer remaining how many of them may go now
---@return number? retry_after what wait() says
---@return number reset_after seconds until all may go again
function sends:peek(now) end

---The sends that are known, as bytes, for another limiter of the same windows.
---@return string bytes
function sends:pack() end

---Takes those sends in the place of its own.
---@param bytes string
---@return boolean understood false: these are no such sends, and it is without any
function sends:unpack(bytes) end

---@class mde.core.nearest
local nearest = {}

---Which machines have names like one that none has (src/core/nearest.h).
---@class mde.core.nearest.names
local names = {}

---@param machines table[] one without a name is like none
---@return mde.core.nearest.names names what is to be known of their names for any number of searches
function nearest.new(machines) end

---@param name string
---@return integer[] places at most 5 places in the list of machines, the one with the nearest name first
function names:find(name) end

---@class mde.core.number what string.format, tostring and tonumber do by the process's locale, in every locale alike
local number = {}

---Integral numbers without a fraction, others with a point and as many digits as it takes to read the same number
---back; or "inf", "-inf", "nan".
---@param value number
---@return string
function number.write(value) end

---The whole number that is next to it, in words for people: "90".
---@param value number
---@return string
function number.whole(value) end

---@param text string
---@return number? value an integer where Lua has those; nil if it is no decimal number: with blanks, a "+", "0x10", ".5", "inf", "1,5"
function number.read(text) end

---@return string point what other code of this process writes in the place of the point, since the locale says so
function number.point() end

---@alias mde.name_relation "eq"|"startswith"|"endswith"|"contains" as OData calls them

---@class mde.core.name how the names of devices are compared: without regard to the case of A to Z, without blanks
---around, and without one dot at the end
local name = {}

---The one form of a name: two texts mean one name if theirs is the same. Of several, as an identity has them, the forms
---of all, a line each.
---@param text string|string[]
---@return string
function name.normal(text) end

---What is looked for: of a whole name what is left without blanks and dot, of a beginning without the blanks before it,
---of an end without what stands behind it.
---@param text string
---@param relation mde.name_relation
---@return string
function name.asked(text, relation) end

---Whether a name is, begins with, ends with or contains a text.
---@param own string
---@param relation mde.name_relation
---@param text string
---@return boolean
function name.matches(own, relation, text) end

---A text in the ways in which somebody may have written it: as it is, in small letters and in capitals; each once.
---@param text string
---@return string[]
function name.spellings(text) end

---@class mde.core.odata
local odata = {}

---A string as OData writes it, in single quotes, with the quotes inside doubled.
---@param text string
---@return string
function odata.literal(text) end

---Percent-encodes everything but A-Z a-z 0-9 - . _ ~
---@param text string
---@return string
function odata.encode(text) end

---@param text string
---@param plus_is_space? boolean as in forms
---@return string? text nil if a percent sign has no two hexadecimal digits behind it
function odata.decode(text, plus_is_space) end

---Tells whether it is text that a name or a value can be: UTF-8 without control characters.
---@param text string
---@return string? flaw what is wrong with it: a phrase behind `the name "..." `; nil if nothing is
---@return "control_character"|"not_utf8"|nil code the same for programs
function odata.flaw(text) end

---@class mde.core.outcome what an attempt at a request came to, and what to do next (src/core/outcome.h)
---@field MAX_WAIT_SECONDS number so much of a Retry-After is believed
local outcome = {}

---@class mde.core.outcome.Facts times are seconds on one clock that only goes forward
---@field attempt integer 1: the first; a 401 that was answered with a new token does not count
---@field now number
---@field deadline number math.huge: none
---@field random number in [0, 1)
---@field attempts_allowed? integer default 4
---@field authentications? integer how many 401 were answered with a new token, default 0
---@field status? integer nil: there was no answer
---@field usable? boolean a 2xx that is what was asked for
---@field temporary? boolean a 4xx to a token request that says temporarily_unavailable
---@field said_code? string the service's code
---@field said? string the service's message
---@field retry_after? number seconds
---@field retry_after_invalid? boolean there was one, and it cannot be understood
---@field maybe_sent? boolean without an answer: only false says that nothing was sent
---@field code? string without an answer: the driver's for the reason
---@field was_answered? boolean without an answer: there was one to an earlier attempt

---@param kind "read"|"token"|"identity"|"action"
---@param facts mde.core.outcome.Facts
---@return "done"|"refused"|"retry"|"authenticate"|"throttled"|"exhausted"|"unknown"|"active" verdict
---@return number delay seconds before a retry, or until the service wants to be asked again; else 0
---@return "not_sent"|"refused_unprocessed"|"unknown"|"definite" class
---@return boolean? spent true where "exhausted" means that the attempts are used up
function outcome.judge(kind, facts) end

---@class mde.core.ResponseField a member of the body (src/core/response_actions.h)
---@field name string
---@field option? string as the caller names it; nil: it is always `value`
---@field kind "word"|"sha1"|"text"
---@field words string[] what it may be, of a word
---@field value? string where the caller names none; nil: he has to
---@field takes fun(value: string): boolean

---@class mde.core.ResponseAction what a device can be told to do (src/core/response_actions.h)
---@field name string
---@field kind "acts"|"records"|"follows" posted below a machine and answered by an action; below a machine and answered
--- by its record; below an action
---@field type? string as the service's list of actions names it; nil: it makes none
---@field path string where it is posted, below the machine or the action
---@field many_path? string where one request is posted for many machines
---@field many integer for how many at the most
---@field opposite? string the name of what takes it back
---@field holds boolean it cuts the device off until the opposite succeeds, and is guarded
---@field is_unmanaged boolean for devices that are not onboarded
---@field is_capped boolean there may be so many in an hour
---@field has_comment boolean
---@field subject? "scope"|"file" what two actions of its type may differ in
---@field fields mde.core.ResponseField[]
---@field state? string a device where it is in force, "restricted"; of those that hold
---@field changing? string where it is under way, "restricting"
---@field permission string of an application
---@field per_minute integer how many calls an application may make
---@field per_hour integer
---@field duplicate "applies"|"either"|"refused"|"uncertain" what a second one gets while the first is pending
---@field wait_seconds integer how long one on a device that is online is waited for; 0: it makes no action
---@field offline_seconds integer how long the service keeps it for one that is not; 0: no page says
---@field platforms string
---@field summary string a sentence: what it does
---@field source string the page of the service's documentation, and its date

---@class mde.core.redact
local redact = {}

---Takes out the secrets that are known by the names before them.
---@param text string any bytes
---@return string
function redact.text(text) end

---A header's value as it may be shown. Of Authorization the scheme stays.
---@param name string
---@param value string
---@return string
function redact.header(name, value) end

---Also takes out these values, plain, percent-encoded, escaped for JSON or in base64. Values of fewer than
---4 bytes are passed over.
---@param text string any bytes
---@param secrets (string|mde.secret)[]
---@return string
function redact.known(text, secrets) end

---@class mde.core.refusal what the words of a 403 say (src/core/refusal.h)
local refusal = {}

---Whether the tenant has not been set up for the service.
---@param message string the service's
---@return boolean
function refusal.is_not_provisioned(message) end

---The application permissions that would do, and those that the token has, with commas between.
---@param message string the service's
---@return string? required nil if it does not name them
---@return string? present
function refusal.roles(message) end

---@class mde.core.service_time
---@field MAX_AHEAD_SECONDS number how far ahead an action may be, and how far apart clocks before it is worth a warning
local service_time = {}

---What time it is at the service, from clocks of which none is trusted alone (src/core/service_time.h). Times are Unix
---seconds; `ticked` is seconds on a clock that only goes forward, `local_time` what the local clock says.
---@class mde.core.service_time.value
local time = {}

---@return mde.core.service_time.value
function service_time.new() end

---@param witness "api"|"token"
---@param ticked number
---@param told number
---@return boolean counts false: nobody who says so knows the time, and nothing changed
function time:hear(witness, ticked, told) end

---@param ticked number
---@param local_time number
---@param created number
---@return boolean moved whether an action created then moves the time forward
function time:row(ticked, local_time, created) end

---@param ticked number
---@param local_time number
---@return number seconds
function time:at(ticked, local_time) end

---@param ticked number
---@param local_time number
---@return number seconds by the clocks alone, whatever actions say
function time:agreed(ticked, local_time) end

---@param ticked number
---@param local_time number
---@return number seconds after which no action can have been created
function time:latest(ticked, local_time) end

---@param ticked number
---@param local_time number
---@return number seconds by which the clocks differ at most
function time:spread(ticked, local_time) end

---@class mde.core.secret
local secret = {}

---Text outside of Lua's strings. tostring gives "[secret]", # its length.
---@class mde.secret
---@operator len: integer
local value = {}

---@param text string at most 65536 bytes; raises if it is longer
---@return mde.secret
function secret.new(text) end

---@return string text raises once the secret is wiped
function value:reveal() end

---Overwrites the bytes and frees them. A second call is harmless.
function value:wipe() end

---@class mde.core.show what is safe on a terminal and within one line (src/core/show.h)
local show = {}

---A text with `\xHH` for each byte that would act, would not show or is no UTF-8; all else stays.
---@param text string any bytes
---@return string
function show.line(text) end

---What stands between the quotes of a string of JSON: the same is written as `\uHHHH`.
---@param text string any bytes
---@return string
function show.json(text) end

---@param text string a safe one
---@return integer columns of a terminal
function show.columns(text) end

---As much of a safe text as fits into so many columns.
---@param text string
---@param columns integer
---@return string beginning
---@return integer taken
function show.beginning(text, columns) end

---@class mde.core.stop_rules when a run of many devices must not go on (src/core/stop_rules.h)
local stop_rules = {}

---@class mde.StopLimits
---@field forbidden_in_a_row? integer 403 on different devices, default 3; 1 to 16
---@field unknown_in_a_row? integer unknown or without an answer, default 20; 1 to 100000
---@field unknown_last? integer how many of the last are looked back on, default 50; 1 to 64
---@field unknown_percent? integer so many of these are unknown, default 20; 1 to 100
---@field superseded? integer in the run, default 3; 1 to 100000

---@class mde.Stop
---@field kind "abort"|"pause"|"stop" something has to be mended first; a person should look; it was to end, or can keep
--- no account of what it does
---@field rule "role"|"sign_in"|"proxy"|"forbidden_in_a_row"|"unknown_in_a_row"|"unknown_last"|"superseded"|"cap"|"journal"|"store"|"asked"|"until"
---@field count integer how many there were
---@field limit integer how many are enough
---@field of? integer with "unknown_last": among how many of the last
---@field retry_at? number with "cap": as it was told

---@alias mde.StopEvent
---| "done" it was accepted, or was so already
---| "answered" the service said no, to this device alone
---| "left" nothing was asked: it is protected, not found, ambiguous
---| "forbidden" 403, and it is not said that the role is missing; `value` is the device
---| "unknown" it may have been carried out
---| "no_answer" it was not carried out: 5xx, or the network
---| "superseded" somebody has taken back what the run does
---| "role" 403: the role is missing
---| "sign_in" the sign-in is refused, for certain
---| "proxy" the proxy refuses its user and password
---| "cap" the cap is full; `value` is when it has room
---| "journal" what is sent cannot be written down
---| "store" the store that keeps the limits fails
---| "asked" a person, a signal or a stop file
---| "until" the time until which it may run has come

---@class mde.stop_rules
local stopping = {}

---The rules of a run that has just begun. Raises for a threshold out of its range, or that there is not.
---@param limits? mde.StopLimits
---@return mde.stop_rules
function stop_rules.new(limits) end

---Tells it how a change ended, in the order in which they end, or what else happened.
---@param event mde.StopEvent
---@param value? string|number
---@return mde.Stop? stop nil: the run goes on. The first one stays
function stopping:note(event, value) end

---@return mde.Stop? stop the first one
function stopping:stopped() end

---@class mde.core.text what string.lower, string.upper and < do by the process's locale, in every locale alike
local text = {}

---A to Z as a to z; no other character changes.
---@param value string
---@return string
function text.lower(value) end

---a to z as A to Z; no other character changes.
---@param value string
---@return string
function text.upper(value) end

---Whether a comes before b in the order of their bytes, for table.sort.
---@param a string
---@param b string
---@return boolean
function text.before(a, b) end

---Whether all of it is UTF-8 (RFC 3629).
---@param value string
---@return boolean
function text.is_utf8(value) end

---A text without the white space of Unicode around it, in every locale.
---@param value string
---@return string
function text.trim(value) end

---Whether a text has a control character of Unicode in it.
---@param value string
---@return boolean
function text.has_control(value) end

---@class mde.core.timestamp times as the service and OData read and write them (src/core/timestamp.h)
local timestamp = {}

---@param text any as the service writes a time
---@return number? seconds Unix seconds with a fraction; nil: it says none
function timestamp.read(text) end

---The nearest microsecond: `2026-02-03T10:11:12.25Z`, without a fraction if it has none.
---@param seconds number Unix seconds
---@return string? text nil outside of the years 0 to 9999
function timestamp.write(seconds) end

---The second that a time lies in: `2026-02-03T10:11:12Z`.
---@param seconds number Unix seconds
---@return string? text nil outside of the years 0 to 9999
function timestamp.whole(seconds) end

---The cache of one access token (src/core/token.h). Times are seconds on one clock that only goes forward.
---@class mde.core.token
---@field MAX_FAILURE_SECONDS number so long a failure is remembered at most
local token = {}

---@return mde.core.token cache an empty one
function token.new() end

---When the reply's token was asked for, by the clock of who issues it.
---@param expires_at? number a token's `exp`
---@param reply table the token endpoint's
---@return number? seconds Unix seconds; nil: that is not told
function token.sent(expires_at, reply) end

---@param now number
---@param lease_seconds number how long the lease lasts that may be given
---@param known? integer the generation of a token that the caller has
---@return "use"|"refresh"|"fetch"|"wait"|"failed" what
---@return any a the token ("use", "refresh"), nil for the known one; the lease ("fetch"); until when to wait at most; the error that was told
---@return number? b the token's generation; how many seconds ago it failed
---@return integer? c the lease ("refresh")
function token:ask(now, lease_seconds, known) end

---@param lease integer 0: nobody's
---@param sent_at number when the token was asked for
---@param value string
---@param lifetime table expires_in, expires_on and refresh_in as the reply had them
---@param wall_now number Unix seconds when it was asked for
---@param random number in [0, 1)
---@return integer? generation nil if it is not kept
---@return "not_kept"|"older"|"too_long"|nil why
function token:fetched(lease, sent_at, value, lifetime, wall_now, random) end

---@param lease integer
---@param now number
---@param status? integer of the answer
---@param retry_after? number seconds
---@param err any
---@return boolean present whether ask() answers with it now
function token:failed(lease, now, status, retry_after, err) end

---The service rejected a token.
---@param generation integer
---@return boolean dropped false: it was not the one in the cache
function token:rejected(generation) end

---The holder of a lease gives up without a result.
---@param lease integer
function token:abandon(lease) end

---The credential has changed, so what failed may be tried again.
function token:forget_failure() end

---@return number? at when the token's life ends, by which an attempt must have ended; nil without one
function token:expiry() end

---@return number? at when the token is no longer handed out; nil without one
function token:usable_until() end

---@class mde.core.url what a URL says, what may be shown of it, and whose its host is (src/core/url.h)
local url = {}

---@alias mde.host_class "this_machine"|"link_local"|"microsoft"|"foreign"

---@class mde.core.url.parts
---@field scheme string in lower case
---@field user? string as it stands before the @
---@field authority string host and port as they stand there
---@field host string in lower case, an address of IPv6 without its brackets
---@field port? integer the one that is named, or https's or http's
---@field path string "" or one that begins with a slash
---@field query? string
---@field class mde.host_class

---@param text string
---@return mde.core.url.parts? nil if it is no URL
function url.parse(text) end

---@param text string
---@return string? authority host and port as they stand there; nil if it is no URL
function url.authority(text) end

---Whose a host is, by its text alone.
---@param host string
---@return mde.host_class
function url.class(host) end

---The cloud of a host of Microsoft's, by where it signs in; nil if that is not known. Two of two do not belong together.
---@param host string
---@return "public"|"us_government"|"china"|nil
function url.cloud(host) end

---@param host string
---@return boolean whether it is an IP address and no name
function url.is_address(host) end

---@param text string
---@return boolean whether it is a name with a dot in it, none at its end, and no address
function url.is_domain(text) end

---Whether both are URLs of the same scheme, host and port.
---@param a string
---@param b string
---@return boolean
function url.same_origin(a, b) end

---The https URL of a host, with or without its scheme.
---@param text string
---@return string? url in its one form, without slashes at its end
---@return "malformed"|"insecure"|nil flaw
function url.https(text) end

---Whether it is the URL of a managed identity's endpoint.
---@param text string
---@return true?
---@return "malformed"|"insecure"|nil flaw
function url.endpoint(text) end

---@class mde.core.url.proxy
---@field shown string scheme, host and port: all that may be shown of it
---@field scheme string in lower case
---@field host string an address of IPv6 without its brackets
---@field authority string host and port as they stand there
---@field port? integer if one is named
---@field user? string "name:password", decoded

---@param text string
---@return mde.core.url.proxy? nil if it is not the URL of a proxy, or could be read in more than one way
function url.proxy(text) end

---Takes the URL of a request apart.
---@param text string
---@param plain? boolean whether it is http, to this machine or its link-local network
---@return string? authority host and port as they stand there
---@return string host or what is wrong: a sentence about `url`
---@return integer port
---@return string target path and query
function url.request(text, plain) end

---What may be shown of what is meant as a URL: "[redacted]" stands in the place of the rest.
---@param text string any bytes
---@return string
function url.shown(text) end

---@class mde.core.waves how many changes of a run may be sent before those that were sent are looked at
--- (src/core/waves.h). The waves are a list of their sizes, { 5, 45, "rest" }, and count from 1. Without "rest" the last
--- size repeats
local waves = {}

---@class mde.GateRule
---@field succeeded? integer percent of the wave: at least so many succeeded, default 60
---@field failed? integer percent of the wave: at most so many failed, and one always may, default 10
---@field wait? number seconds that the gate waits for that, default 120; up to 86400

---@class mde.WaveCounts how all that one wave sent stands; default 0
---@field succeeded? integer
---@field failed? integer
---@field cancelled? integer
---@field pending? integer
---@field unknown? integer

---@alias mde.WavesFlaw "empty"|"number"|"zero"|"large"|"not_last"|"many"|"name"|"twice"|"percent"|"time"

---@class mde.waves
local sent = {}

---5, 45 and the rest; the rest alone for 25 devices or fewer.
---@param planned integer how many devices
---@return (integer|"rest")[] sizes
function waves.default(planned) end

---@param text string "1,10,100,rest"
---@return (integer|"rest")[]? sizes 1 to 16 numbers from 1 to 100000
---@return mde.WavesFlaw? flaw
---@return string? part which has it
function waves.read(text) end

---@param text string "succeeded=60%,failed=10%,wait=2m"; what is not named has its default
---@return mde.GateRule? gate
---@return mde.WavesFlaw? flaw
---@return string? part which has it
function waves.read_gate(text) end

---@param sizes (integer|"rest")[]
---@param gate? mde.GateRule
---@param sent_before? integer how many the earlier sessions of this run sent, default 0
---@return mde.waves
function waves.new(sizes, gate, sent_before) end

---Whether one more may be sent. "go": it has a place, and ended() must follow; "wait": not all that have a place have
---ended; "gate": all of this wave has gone, so judge() it; "paused": its gate has closed.
---@return "go"|"wait"|"gate"|"paused"
function sent:admit() end

---One that was admitted has ended. Raises if none is left.
---@param went boolean it was sent, or may have been; else its place is free again
function sent:ended(went) end

---@return integer wave from 1
---@return integer? size nil: the rest
---@return integer sent in this wave
---@return integer before sent in the waves before it
---@return integer in_flight admitted and not ended yet
function sent:position() end

---Judges the gate behind a wave. One that it is past already is open. Raises if this wave has not all gone.
---@param wave integer as position() told it
---@param counts mde.WaveCounts of all that this wave sent
---@param waited number seconds since all of it had gone
---@return "open"|"wait"|"closed" gate
---@return number|"count"|"failed"|"unknown"|"succeeded"|nil left the seconds that it still waits, or why it closed
---@return integer? number how many there were
---@return integer? needed how many there had to be; of failed and unknown: might be at most
function sent:judge(wave, counts, waited) end

---A person opens the gate that has closed, or waits.
---@return boolean opened false: no gate is reached
function sent:open() end

---@return "count"|"failed"|"unknown"|"succeeded"|nil reason why its gate has closed; nil: it has not
---@return integer? number
---@return integer? needed
function sent:paused() end

---The order in which devices are best sent: the one of each platform that was seen last, up to `leaders` of them; then
---all others; among both the one that was seen last first.
---@param devices { platform?: string, last_seen?: string|number }[] as the service writes the time, or in Unix seconds
---@param leaders? integer the size of the first wave; default: one of every platform
---@return integer[] places
function waves.order(devices, leaders) end

return core
