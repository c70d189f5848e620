-- terminal: what a person sees and answers.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local terminal = require "mde.cli.ui.terminal"

describe("the terminal", function()
  for text, width in pairs {
    [""] = 0, ["abc"] = 3, ["caf\195\169"] = 4, ["e\204\129"] = 1, ["\230\151\165\230\156\172"] = 4,
    ["\240\159\148\146"] = 2, ["a\204\129b"] = 2,
  } do
    it(("takes %d columns for %q"):format(width, text), function() assert.equal(width, terminal.width(text)) end)
  end

  for _, case in ipairs {
    { "abc", 5, "abc  " }, { "abc", 3, "abc" }, { "abcdef", 5, "ab..." }, { "abcdef", 2, ".." }, { "", 2, "  " },
    { "\230\151\165\230\156\172\230\151\165", 5, "\230\151\165..." }, { "\230\151\165\230\156\172", 4,
      "\230\151\165\230\156\172" }, { "a\230\151\165\230\156\172x", 5, "a... " },
  } do
    it(("fits %q into %d columns"):format(case[1], case[2]), function()
      local fitted = terminal.fit(case[1], case[2])
      assert.equal(case[3], fitted)
      assert.equal(case[2], terminal.width(fitted))
    end)
  end

  it("is acted on by nothing that was escaped", function()
    assert.equal("lap\\xe3\\x85\\xa4top\\xef\\xb8\\x8f", terminal.escape "lap\227\133\164top\239\184\143")
    assert.equal("\\x1b]0;x\\x07\\x0a\\xc2\\x9b\\xe2\\x80\\xae\\xff", terminal.escape
      "\27]0;x\7\n\194\155\226\128\174\255")
  end)
end)

describe("a question", function()
  local function confirm(...)
    local told = console.capture(function() return terminal.confirm "Really?" end, { answers = { ... } })
    return told.value, told.err
  end

  it("is asked until yes or no is said", function()
    for _, case in ipairs { { true, "y" }, { true, " YES " }, { false, "n" }, { false, "No" }, { false, "" }, { false },
      { true, "perhaps", "y" } } do
      local value, shown = confirm(case[2], case[3])
      assert.equal(case[1], value)
      assert.equal(case[3] ~= nil, shown:find("Answer y or n.\n", 1, true) ~= nil)
    end
    assert.equal("Really? [y/N] ", select(2, confirm "y"))
  end)

  it("is answered by nothing at the end of the input and at Ctrl-C", function()
    local told = console.capture(function() return terminal.ask "Why? " end, { answers = {} })
    assert.is_nil(told.value)
    assert.equal("Why? \n", told.err)
    told = console.capture(function() return terminal.ask "Why? " end,
      { answers = { "because" }, interruptions = function() return 1 end })
    assert.is_nil(told.value)
  end)

  it("has its answer without white space, and does not act itself", function()
    local told = console.capture(function() return terminal.ask "\27[2JWhy? " end, { answers = { "  a b\t" } })
    assert.equal("a b", told.value)
    assert.equal("\\x1b[2JWhy? ", told.err)
  end)
end)

describe("a remark", function()
  it("stands above the status, which stays the last line", function()
    local told = console.capture(function()
      terminal.set_status "half"
      terminal.note "a\nb"
      terminal.above_status(function() io.stdout:write "result\n" end)
      terminal.set_status(nil)
      terminal.say "done"
    end, { columns = 40 })
    local back = "\r\27[K"
    assert.equal("half" .. back .. "Note: a\\x0ab.\n" .. "half" .. back .. "half" .. back .. "done\n", told.err)
    assert.equal("result\n", told.out)
  end)

  it("among results leaves the status once, in one line", function()
    local told = console.capture(function()
      terminal.set_status "half"
      terminal.above_status(function()
        terminal.complain "no"
        terminal.set_status "more"
        terminal.above_status(terminal.say, "why")
      end)
      terminal.set_status(nil)
      terminal.set_status(nil)
    end, { columns = 40 })
    local back = "\r\27[K"
    assert.equal("half" .. back .. "no\nwhy\nmore" .. back, told.err)
  end)

  it("leaves the status where what is told of raises", function()
    local told = console.capture(function()
      terminal.set_status "half"
      local ok, problem = pcall(terminal.above_status, function() error({ "this" }, 0) end)
      terminal.set_status(nil)
      return not ok and problem[1]
    end, { columns = 40 })
    assert.equal("this", told.value)
    assert.equal("half\r\27[Khalf\r\27[K", told.err)
  end)

  it("has a status above it that fits in one line", function()
    local told = console.capture(function()
      terminal.set_status(("x"):rep(50))
      terminal.set_status(nil)
    end, { columns = 20 })
    assert.equal(("x"):rep(19) .. "\r\27[K", told.err)
  end)

  it("is left out where that is asked for, unless an answer rests on it", function()
    local function said(quiet)
      return console.capture(function()
        terminal.be_quiet(quiet)
        terminal.remark "how long it takes"
        terminal.note "named twice"
        terminal.caution "held by others"
        terminal.say "mde: an error"
        terminal.be_quiet(false)
      end).err
    end
    assert.equal("how long it takes\nNote: named twice.\nNote: held by others.\nmde: an error\n", said(false))
    assert.equal("Note: held by others.\nmde: an error\n", said(true))
  end)

  for _, case in ipairs {
    { "mde: a short one", 16, "mde: a short one" }, { "mde: one that is long", 12, "mde: one\n  that is\n  long" },
    { "mde: one that is long", 14, "mde: one that\n  is long" }, { "  and  5 more", 9, "  and  5\n  more" },
    { ("x"):rep(20) .. " yes " .. ("y"):rep(20), 10, ("x"):rep(20) .. "\n  yes\n  " .. ("y"):rep(20) },
    { "ask for it: mde state shows it", 15, "ask for it:\n  mde state\n  shows it" },
    { "ask for it: mde machines name=A --csv shows it", 17, "ask for it:\n  mde machines name=A --csv shows\n  it" },
    { "raise it by --cap N, or --allow cap.", 18, "raise it by\n  --cap N, or\n  --allow cap." },
    { "mde restrict: --cap is 0 or more", 15, "mde restrict:\n  --cap is 0 or\n  more" },
    { "go on: mde resume 'my own run.db' goes on", 16, "go on:\n  mde resume\n  'my own run.db'\n  goes on" },
    { "mde shows it's that one", 16, "mde shows it's\n  that one" },
    { "name it, --list, or a=b with it", 16, "name it, --list,\n  or a=b with it" },
    { "\230\151\165\230\156\172 \230\151\165", 6, "\230\151\165\230\156\172\n  \230\151\165" },
  } do
    it(("is wrapped at blanks: %q in %d columns"):format(case[1], case[2]), function()
      assert.equal(case[3], terminal.wrap(case[1], case[2]))
    end)
  end

  it("has below it a command to be copied, which stays in one line and acts on no terminal", function()
    local function said(options)
      return console.capture(function()
        terminal.say("to go on with it:", "mde release --all-of INC-1\27")
      end, options).err
    end
    assert.equal("to go on\n  with it:\n  mde release --all-of INC-1\\x1b\n", said { answers = {}, columns = 10 })
    assert.equal("to go on with it:\n  mde release --all-of INC-1\\x1b\n", said {})
  end)

  it("is wrapped on a terminal alone", function()
    local function said(options)
      return console.capture(function() terminal.say "an error\27 that is long" end, options).err
    end
    assert.equal("an error\\x1b\n  that is long\n", said { answers = {}, columns = 14 })
    assert.equal("an error\\x1b that is long\n", said { columns = 14 })
    assert.equal("an error\\x1b that is long\n", said { answers = {} })
  end)

  it("is red if it is an error, where that is seen", function()
    local function said(options)
      return console.capture(function()
        terminal.complain "mde: an error\27"
        terminal.say "a remark"
      end, options).err
    end
    assert.equal("\27[31mmde: an error\\x1b\27[m\na remark\n", said { styles = true })
    assert.equal("mde: an error\\x1b\na remark\n", said())
  end)
end)
