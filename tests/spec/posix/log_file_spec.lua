-- mde.posix.log_file: bytes in a file that grows, of one process at a time, replaced in one step.
-- Labels: sanitized-each-lua
local posix = require "mde.posix"
local shell = require "tests.spec.support.process.shell"

local files = posix.log_file

describe("a log file", function()
  local path, opened

  before_each(function()
    path, opened = os.tmpname(), {}
    os.remove(path)
  end)

  after_each(function()
    for _, file in ipairs(opened) do file:close() end
    os.remove(path)
  end)

  local function open()
    local file = assert(files.open(path))
    opened[#opened + 1] = file
    return file
  end

  local function content()
    local file = assert(io.open(path, "rb"))
    local text = file:read "*a"
    file:close()
    return text
  end

  it("grows by what is put behind", function()
    local file = open()
    assert.equal("", file:read())
    assert.is_true(file:append("one\0", true))
    assert.is_true(file:append "two")
    assert.is_true(file:append "")
    assert.equal("one\0two", file:read())
    assert.equal(7, file:length())
    file:close()
    assert.equal("one\0two", content())
    file = open()
    assert.is_true(file:append "three")
    assert.equal("one\0twothree", file:read())
  end)

  it("is replaced in one step, and grows on", function()
    local file = open()
    file:append(("long "):rep(1000))
    assert.is_true(file:replace "new")
    assert.equal("new", content())
    assert.is_true(file:append("er", true))
    assert.equal("newer", content())
    assert.equal("newer", file:read())
    assert.is_nil(io.open(path .. ".new"))
    -- What a process that was killed has left beside it does no harm.
    local left = assert(io.open(path .. ".new", "wb"))
    left:write "half"
    left:close()
    assert.is_true(file:replace "newest")
    assert.equal("newest", content())
  end)

  it("belongs to one at a time, also when it was replaced", function()
    local one = open()
    assert.is_false(files.open(path))
    assert.is_true(one:replace "text")
    assert.is_false(files.open(path))
    one:close()
    one:close()
    assert.equal("text", open():read())
  end)

  it("is its owner's alone", function()
    open():replace "text"
    assert.equal("600", (shell.output_of("stat -c %a " .. path):match "%d+"))
  end)

  it("is no link, no pipe, no directory, and none that everybody may write", function()
    local target = path .. ".target"
    finally(function() os.remove(target) end)
    for problem, make in pairs { ["everybody on this machine may write it"] = "touch %s; chmod 666 %s",
      ["it is a symbolic link"] = "touch %s.target; ln -s %s.target %s", ["it is no regular file"] = "mkfifo %s" } do
      os.remove(path)
      os.execute((make:gsub("%%s", path)))
      assert.same({ nil, problem }, { files.open(path) })
    end
    os.remove(path)
    assert.is_nil((files.open "/"))
    assert.is_nil((files.open "/nowhere/at/all"))
    assert.has_error(function() files.open "a\0b" end)
    assert.has_error(function() files.open() end)
  end)

  it("stays as it was if it cannot be replaced", function()
    local file = open()
    file:append "text"
    os.execute("mkdir " .. path .. ".new")
    finally(function() os.execute("rmdir " .. path .. ".new") end)
    local done, problem = file:replace "other"
    assert.is_nil(done)
    assert.equal("string", type(problem))
    assert.equal("text", content())
    assert.is_true(file:append " more")
    assert.equal("text more", content())
  end)

  it("raises when it is used after it was closed", function()
    local file = open()
    file:close()
    for _, method in ipairs { "read", "length" } do assert.has_error(function() file[method](file) end) end
    assert.has_error(function() file:append "x" end)
    assert.has_error(function() file:replace "x" end)
  end)
end)
