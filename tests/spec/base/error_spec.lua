-- Errors: a table to decide by, and one line to act on.

local errors = require "mde.base.error"
local mde = require "mde"
local rehearsal = require "tests.spec.support.rehearsal"

describe("an error", function()
  describe("is printed as one line", function()
    for line, fields in pairs {
      ["what happened"] = { message = "what happened" },
      ["playbook.lua:12: what happened. Do this."] = { message = "what happened", hint = "Do this.",
        where = "playbook.lua:12" },
      ['play\\x0abook.lua:12: restrict "desk": what happened'] = { asked = 'restrict "desk"', message = "what happened",
        where = "play\nbook.lua:12" },
      ['restrict "desk": what happened'] = { asked = 'restrict "desk"', message = "what happened" },
      ["what happened. Do this."] = { message = "what happened", hint = "Do this." },
      ["what happened? Do this."] = { message = "what happened?", hint = "Do this." },
      ['restrict "desk": what happened! Do this.'] = { asked = 'restrict "desk"', message = "what happened!",
        hint = "Do this." },
      ["two\\x0alines\\x0d\\x00"] = { message = "two\nlines\r\0" },
    } do
      it(": " .. line, function()
        fields.code = "Made up"
        local err = errors.new(fields)
        assert.equal(line, tostring(err))
        assert.is_true(rehearsal.is_one_line(tostring(err)))
      end)
    end
  end)

  describe("escapes what would act instead of being shown:", function()
    for what, case in pairs {
      ["an escape sequence"] = { "\27[31mred", "\\x1b[31mred" },
      ["NUL, tab, line ends"] = { "\0\t\r\n", "\\x00\\x09\\x0d\\x0a" },
      ["delete"] = { "\127", "\\x7f" },
      ["C1 controls"] = { "\194\155" .. "31m", "\\xc2\\x9b31m" },
      ["bytes that are not UTF-8"] = { "caf\233!", "caf\\xe9!" },
      ["a character that breaks off"] = { "\226\130", "\\xe2\\x82" },
      ["a continuation that nothing begins"] = { "\130", "\\x82" },
      ["overlong forms"] = { "\192\175 \224\159\191 \240\143\191\191",
        "\\xc0\\xaf \\xe0\\x9f\\xbf \\xf0\\x8f\\xbf\\xbf" },
      ["surrogates"] = { "\237\160\128 \237\191\191", "\\xed\\xa0\\x80 \\xed\\xbf\\xbf" },
      ["what lies beyond Unicode"] = { "\244\144\128\128", "\\xf4\\x90\\x80\\x80" },
      ["bytes beyond Unicode"] = { "\245\128\128\128\255", "\\xf5\\x80\\x80\\x80\\xff" },
      ["what turns the line around"] = { "a\226\128\174b\226\129\166c\226\128\143d\216\156",
        "a\\xe2\\x80\\xaeb\\xe2\\x81\\xa6c\\xe2\\x80\\x8fd\\xd8\\x9c" },
      ["what shows nothing"] = { "a\226\128\139b\239\187\191c\194\173d\226\129\160",
        "a\\xe2\\x80\\x8bb\\xef\\xbb\\xbfc\\xc2\\xadd\\xe2\\x81\\xa0" },
      ["fillers"] = { "lap\227\133\164top\239\190\160\225\133\159\225\133\160",
        "lap\\xe3\\x85\\xa4top\\xef\\xbe\\xa0\\xe1\\x85\\x9f\\xe1\\x85\\xa0" },
      ["variation selectors"] = { "\226\154\160\239\184\143\243\160\132\128\225\160\139",
        "\226\154\160\\xef\\xb8\\x8f\\xf3\\xa0\\x84\\x80\\xe1\\xa0\\x8b" },
      ["tags"] = { "a\243\160\128\129\243\160\129\191", "a\\xf3\\xa0\\x80\\x81\\xf3\\xa0\\x81\\xbf" },
      ["what is hidden in an annotation"] = { "\239\191\185a\239\191\187", "\\xef\\xbf\\xb9a\\xef\\xbf\\xbb" },
      ["line and paragraph separators"] = { "\226\128\168\226\128\169", "\\xe2\\x80\\xa8\\xe2\\x80\\xa9" },
    } do
      it(what, function()
        assert.equal(case[2], errors.escape(case[1]))
        assert.equal(case[2], errors.escape(case[2]))
        assert.equal(case[2], tostring(errors.new { code = "Made up", message = case[1] }))
      end)
    end

    for what, text in pairs {
      ["plain text"] = "laptop-17.corp.example, 100 % & more #1 \\ \"quoted\"",
      ["other scripts"] = "b\195\188ro \231\148\181\232\132\145 \208\184 \240\159\148\146",
      ["the edges of what is left out"] = "\224\160\128 \237\159\191 \240\144\128\128 \244\143\191\191",
      ["nothing"] = "",
    } do
      it("but not " .. what, function() assert.equal(text, errors.escape(text)) end)
    end
  end)

  it("shows a value from outside, cut to what leaves room for the rest", function()
    assert.equal("17", errors.show(17))
    assert.equal("nil", errors.show(nil))
    assert.equal(300, #errors.show(("x"):rep(300)))
    assert.is_nil(errors.show(("\227\129\130"):rep(200)):find("\\x", 1, true))
    assert.is_nil(errors.show("x" .. ("\227\129\130"):rep(200)):find("\\x", 1, true))
    local long = errors.show(("x"):rep(1e6))
    assert.equal(300, #long)
    assert.equal("...", long:sub(-3))
    assert.equal('"a\\x0ab"', errors.quote "a\nb")
  end)

  it("shows what has no text as what it is, never as an address", function()
    assert.equal("a table", errors.show {})
    assert.equal("a table", errors.quote(setmetatable({}, { __name = "x" })))
    assert.equal("a function", errors.show(print))
    assert.equal("a thread", errors.got(coroutine.create(print)))
    assert.equal("a userdata", errors.quote(io.stdout))
    assert.equal('"desk"', errors.got "desk")
    assert.equal("17", errors.got(17))
    assert.equal("nil", errors.got(nil))
    assert.equal("a name", errors.show(setmetatable({}, { __tostring = function() return "a name" end })))
    assert.equal("a table", errors.show(setmetatable({}, { __tostring = function() error "no" end })))
  end)

  it("is known as one", function()
    assert.is_true(errors.is(errors.new { code = "Made up", message = "x" }))
    for _, value in ipairs { "x", 17, {}, setmetatable({}, {}) } do assert.is_false(errors.is(value)) end
    assert.is_false(errors.is(nil))
  end)

  it("of a wrong argument is raised as it is", function()
    local err = rehearsal.refused(errors.invalid, "wrong_value", "wrong", "Do it right.")
    assert.same({ "invalid", "wrong_value", "wrong", "Do it right." }, { err.kind, err.code, err.message, err.hint })
  end)

  describe("of a wrong argument names the line that called the library:", function()
    local own = debug.getinfo(errors.invalid, "S").source:match "^(@.*/)base/error%.lua$"

    -- Runs a program, behind a line that gives it what it needs, and has what it raises.
    local function run(name, text)
      local chunk = assert((rawget(_G, "loadstring") or load)("local mde, errors, client = ...\n" .. text, name))
      local _, err = pcall(chunk, mde, errors, rehearsal.new { unguarded = true }.client)
      return err
    end

    for what, case in pairs {
      ["a function of the module"] = { "playbook.lua:3", "", 'local a = mde.client { tenantid = "x" }' },
      ["a method"] = { "playbook.lua:2", "local a = client:restrict(nil, 'why')" },
      ["a method with a dot"] = { "playbook.lua:2", "local a = client.restrict('desk', 'why')" },
      ["a wrong option"] = { "playbook.lua:2", "local a = client:restrict('desk', 'why', { incidnt = 'INC-1' })" },
      ["a credential"] = { "playbook.lua:2", "local a = mde.credential.secret ''" },
      ["an operator"] = { "playbook.lua:2", "local query = { riskScore = mde.eq(nil) }" },
      ["a query"] = { "playbook.lua:2", "for machine in client:machines {} do print(machine) end" },
      ["a list"] = { "playbook.lua:3", "local list", "local a = mde.read_list(list)" },
      ["a call by pcall"] = { "playbook.lua:2", "local _, err = pcall(client.restrict, client, nil, '')",
        "error(err)" },
      ["a function of its own"] = { "playbook.lua:3", "local function contain(name)",
        "  local a = client:restrict(name, '')", "  return a", "end", "contain 'desk'" },
      ["a coroutine"] = { "playbook.lua:3", "coroutine.wrap(function()", "  local a = client:restrict(nil, 'why')",
        "  return a", "end)()" },
      ["a function that each calls"] = { "playbook.lua:3", "error(client:each({ 'desk' }, function(name)",
        "  local a = client:restrict(name, '')", "  return a", "end)[1].err)" },
      ["a function that each calls, by the line where it begins, if it ends with the call"] = { "playbook.lua:3",
        "local contain", "contain = function(name)", "  return client:restrict(name, '')", "end",
        "error(client:each({ 'desk' }, contain)[1].err)" },
      ["one that may be interrupted, likewise"] = { "playbook.lua:2",
        "client:interruptible(function() return client:restrict('desk', '') end, function() return false end)" },
    } do
      it(what, function()
        local err = run("@playbook.lua", table.concat(case, "\n", 2))
        assert.is_true(errors.is(err), tostring(err))
        assert.equal(case[1], err.where)
        assert.equal(1, tostring(err):find(case[1] .. ": ", 1, true))
        assert.is_nil(err.message:find("playbook", 1, true))
      end)
    end

    it("a chunk without a name shows nothing of its text", function()
      assert.equal("[string]:2", run(nil, "local a = mde.client { credential = 's3cret', foo = 1 }").where)
      assert.equal("stdin:2", run("=stdin", "local a = mde.client { foo = 1 }").where)
    end)

    it("not for the command, which is no user's program", function()
      assert.is_nil(run(own .. "cli/command/restrict.lua", "local a = client:restrict(nil, 'why')").where)
      assert.is_string(run(own:gsub("mde/$", "") .. "cli/x.lua", "local a = client:restrict(nil, 'why')").where)
    end)

    it("not where no line of it can be told", function()
      local wrap = coroutine.wrap(mde.client)
      local _, err = pcall(wrap, { foo = 1 })
      assert.is_nil(err.where)
      assert.equal(1, tostring(err):find("mde.client has no option", 1, true))
      -- The library's own function ends in nobody's line.
      assert.is_nil(run("@playbook.lua", "error(client:each({ 'desk' }, function(name) return name end)[1].err)"))
      local client = rehearsal.new().client
      assert.is_nil(client:each({ client }, client.restrict)[1].err.where)
    end)

    it("not in the place of one that is told, nor of what is no wrong argument", function()
      local function fn() end
      local told = errors.new { kind = "invalid", code = "wrong_value", message = "wrong", where = "playbook.lua:9" }
      local other = errors.new { kind = "not_found", code = "no_such_device", message = "not there" }
      for _, problem in ipairs { told, other, "a text", {} } do errors.locate(problem, fn) end
      assert.equal("playbook.lua:9", told.where)
      assert.is_nil(other.where)
    end)

    it("not where it is returned, since no argument is wrong then", function()
      assert.is_nil(run("@playbook.lua", "error(select(2, mde.check('restrict', '')))").where)
      assert.is_nil(run("@playbook.lua", "error(client:resolve({ '192.0.2.1' })[1].err)").where)
    end)
  end)

  it("that comes from outside is returned without a line; what is no error of ours is raised again", function()
    assert.same({ true, 1, 2 }, { errors.try(function(...) return ... end, 1, 2, 3) })
    local ok, err = errors.try(errors.invalid, "wrong_value", "wrong")
    assert.is_false(ok)
    assert.same({ "wrong_value", "wrong" }, { err.code, err.message })
    assert.is_nil(err.where)
    local own = {}
    local _, raised = pcall(errors.try, error, own)
    assert.equal(own, raised)
  end)

  it("that another one has led to has a code of its own, unless the service gave one", function()
    local late = errors.new { kind = "unavailable", code = "time_is_up", message = "late" }
    local err = errors.wrap(late, { code = "cap_uncounted", message = "not counted" })
    assert.same({ "unavailable", "cap_uncounted", "not counted: late", late },
      { err.kind, err.code, err.message, err.cause })
    local refused = errors.new { kind = "permission", code = "Forbidden", http_status = 403, message = "no" }
    err = errors.wrap(refused, { code = "cap_uncounted", message = "not counted" })
    assert.same({ "permission", "Forbidden", 403, refused }, { err.kind, err.code, err.http_status, err.cause })
    local failed = errors.new { kind = "unavailable", code = "service_failed", http_status = 503, message = "no" }
    assert.equal("cap_uncounted", errors.wrap(failed, { code = "cap_uncounted", message = "not counted" }).code)
  end)

  it("tells which code is the service's", function()
    for _, code in ipairs { "Forbidden", "429", "AADSTS7000215", "ODataError" } do
      assert.equal(code, errors.service_code(errors.new { code = code, message = "x" }))
    end
    assert.is_nil(errors.service_code(errors.new { kind = "invalid", code = "wrong_type", message = "x" }))
  end)

  it("of a setting keeps its code under the setting's name", function()
    local err = rehearsal.refused(errors.under_name, "AZURE_CLIENT_SECRET", function()
      errors.invalid("secret_empty", "it is empty")
    end)
    assert.same({ "secret_empty", "AZURE_CLIENT_SECRET: it is empty" }, { err.code, err.message })
  end)

  describe("about what was asked", function()
    local original = errors.new { kind = "auth", message = "no", code = "AADSTS1", candidates = { {} } }

    it("is a copy that is equal in all else", function()
      local copy = errors.about(original, 'restrict "desk"')
      assert.not_equal(original, copy)
      assert.is_nil(original.asked)
      assert.equal('restrict "desk"', copy.asked)
      for name, value in pairs(original) do assert.equal(value, copy[name]) end
      assert.is_true(errors.is(copy))
    end)

    it("keeps what was asked first", function()
      local copy = errors.about(original, "first")
      assert.equal(copy, errors.about(copy, "second"))
    end)

    it("leaves what is no error of ours alone", function()
      assert.equal("text", errors.about("text", "asked"))
    end)
  end)

  it("can be raised by assert where nothing was expected to go wrong", function()
    local err = errors.new { code = "Made up", message = "x" }
    local ok, raised = pcall(function() return rawget(package.loaded._G, "assert")(nil, err) end)
    assert.is_false(ok)
    assert.equal(err, raised)
  end)
end)

describe("nothing but success is truthy:", function()
  local laptop = "1f00000000000000000000000000000000000017"
  local offline = "1f00000000000000000000000000000000000018"
  local post = { method = "POST", path = "restrictCodeExecution" }
  local refused = { code = "BadRequest", message = "no" }

  -- For each kind of error a call that ends with it.
  local cases = {
    auth = function()
      return rehearsal.new { client = { credential = "not the right one" } }.client:restrict(laptop, "why")
    end,
    permission = function() return rehearsal.new { roles = {} }.client:state(laptop) end,
    not_found = function(r) return r.client:restrict("nowhere", "why") end,
    ambiguous = function(r) return r.client:machine "kiosk" end,
    conflict = function(r)
      r:past(laptop, "release", "Pending", 10)
      return r.client:restrict(laptop, "why")
    end,
    throttled = function(r)
      r:fault { match = post, fault = "answer", status = 429, headers = { ["Retry-After"] = "3000" } }
      return r.client:restrict(laptop, "why")
    end,
    refused = function(r)
      r:answer(post, 400, { error = refused })
      return r.client:restrict(laptop, "why")
    end,
    unavailable = function(r)
      r:fault { match = {}, fault = "refuse", count = false }
      return r.client:machine(laptop)
    end,
    protocol = function(r)
      r:fault { match = post, fault = "redirect" }
      return r.client:restrict(laptop, "why")
    end,
    unknown = function(r)
      r:fault { match = post, fault = "gone" }
      r:answer({ path = "/machineactions?$filter=machineId" }, 403, "", { count = false })
      return r.client:restrict(laptop, "why")
    end,
    superseded = function(r)
      assert(assert(r.client:restrict(offline, "why", { key = "alert-4711" })):cancel "no")
      return r.client:restrict(offline, "why", { key = "alert-4711" })
    end,
    failed = function(r)
      return assert(r.client:restrict("1f00000000000000000000000000000000000019", "why")):wait()
    end,
    pending = function(r) return assert(r.client:restrict(offline, "why")):wait { timeout = 5 } end,
    cancelled = function(r)
      local action = assert(r.client:restrict(offline, "why"))
      assert(action:cancel "no")
      return action:wait()
    end,
  }

  local codes = { auth = "AADSTS7000215", permission = "Forbidden", not_found = "no_such_device",
    ambiguous = "several_devices", conflict = "opposite_pending", throttled = "throttled", refused = "BadRequest",
    unavailable = "connect", protocol = "redirected", unknown = "closed", superseded = "key_overtaken",
    failed = "action_failed", pending = "still_pending", cancelled = "action_cancelled" }

  for kind, call in pairs(cases) do
    it(kind, function()
      local r = rehearsal.new()
      local value, err = call(r)
      assert.is_nil(value)
      assert.equal(kind, err.kind)
      assert.equal(codes[kind], err.code)
      assert.is_true(errors.is(err))
      assert.truthy(err.asked)
      assert.is_true(rehearsal.is_one_line(tostring(err)))
      assert.is_nil(tostring(err):find(r.tenant.client_secret, 1, true))
    end)
  end

  it("when the service asks to wait, the time is told", function()
    local _, err = cases.throttled(rehearsal.new())
    assert.equal("number", type(err.retry_at))
  end)

  it("is put into a text as a string error is", function()
    local err = errors.new { kind = "refused", code = "refused", message = "no" }
    assert.equal("E: no", "E: " .. err)
    assert.equal("no!", err .. "!")
  end)
end)
