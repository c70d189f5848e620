-- tests/checks/codes: it passes for the project, and names what has no code, or a wrong one, in a copy of it.
-- Labels: only-lua5.4

local shell = require "tests.spec.support.process.shell"

local CHECK = "lua5.4 tests/checks/codes"

local function run(directory)
  local errors = os.tmpname()
  local output = shell.output_of(("%s '%s' 2>'%s'; echo \"status $?\""):format(CHECK, directory, errors))
  local complaints = shell.read_file(errors)
  os.remove(errors)
  return tonumber(output:match "status (%d+)"), output, complaints
end

describe("the check of the codes", function()
  local directory
  -- Of the files that a test has changed in the copy, what they were.
  local originals = {}

  setup(function()
    directory = shell.new_directory()
    os.execute(("cp -r lua src '%s'"):format(directory))
  end)

  after_each(function()
    for path, text in pairs(originals) do shell.write_file(path, text) end
    originals = {}
  end)

  teardown(function() shell.remove(directory) end)

  local function change(path, fn)
    path = directory .. "/" .. path
    local text = assert(shell.read_file(path))
    originals[path] = originals[path] or text
    shell.write_file(path, fn(text))
  end

  local function append(path, line)
    change(path, function(text) return text .. "\n" .. line .. "\n" end)
  end

  local function replace(path, old, new)
    change(path, function(text)
      local from, to = text:find(old, 1, true)
      assert(from, old)
      return text:sub(1, from - 1) .. new .. text:sub(to + 1)
    end)
  end

  local function assert_complains(...)
    local status, _, complaints = run(directory)
    assert.equal(1, status)
    for _, text in ipairs { ... } do assert.matches(text, complaints, 1, true) end
    assert.equal(select("#", ...), select(2, complaints:gsub("\n", "\n")), complaints)
  end

  it("passes, and counts", function()
    local status, output, complaints = run "."
    assert.equal("", complaints)
    assert.equal(0, status)
    assert.matches("^%d%d%d codes, used in %d%d%d places\n", output)
  end)

  for what, line in pairs {
    ["a new error"] = 'local function f() return errors.new { kind = "refused", message = "no" } end',
    ["one that another one has led to"] = 'local f = errors.wrap(err, { message = "no" })',
    ["the fields of one"] = 'local f = { message = "no", hint = g { code = "refused" }, kind = "refused" }',
  } do
    it("names what has no code: " .. what, function()
      append("lua/mde/action/change.lua", line)
      assert_complains "this error has no code"
    end)
  end

  for _, call in ipairs { "errors.invalid()", 'errors.invalid(("a %s"):format "b", "Do it.")' } do
    it("names an argument's error without a code: " .. call, function()
      append("lua/mde/action/change.lua", ("local function f() %s end"):format(call))
      assert_complains "errors.invalid is given no code"
    end)
  end

  for what, line in pairs {
    ["in a table"] = 'local f = errors.new { kind = "refused", code = a or "nonesuch", message = "" }',
    ["of an argument"] = 'local function f() errors.invalid(x == "refused" and "nonesuch" or "wrong_type", "") end',
    ["of what another one has led to"] = 'local f = errors.wrap(err, { code = "nonesuch", message = "" })',
  } do
    it("names a code that is not listed, " .. what, function()
      append("lua/mde/action/change.lua", "-- errors.invalid(\"none\")\n" .. line)
      assert_complains 'error.md does not have the code "nonesuch"'
    end)
  end

  it("names a code of another kind", function()
    append("lua/mde/action/change.lua",
      'local function f() return errors.new { kind = "refused", code = "cap_full", message = "" } end')
    append("lua/mde/action/guard.lua", 'local function f() errors.invalid("cap_full", "") end')
    assert_complains("change.lua:", "guard.lua:")
  end)

  it("names a code that nothing uses, and a type that is not up to date", function()
    replace("lua/mde/base/error.md", "| `cap_full` |", "| `unused` | refused | none |\n| `cap_full` |")
    assert_complains("unused, which nothing uses", "error_code.lua is not as")
  end)

  it("names what a driver gives and the contract lacks", function()
    replace("src/curl/failure.c", 'return "tls_expired";', 'return "tls_other";')
    replace("lua/mde/driver/driver.md", "| `busy` |", "| `bored` | nothing to do |\n| `busy` |")
    assert_complains("failure.c has tls_other", "driver.md has bored")
  end)
end)
