-- mde.posix.locked_file: one text in a file, whole at any time, changed by one at a time.
-- Labels: sanitized-each-lua
local posix = require "mde.posix"
local shell = require "tests.spec.support.process.shell"

local files = posix.locked_file

describe("a locked file", function()
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

  it("holds nothing at first, and then what was written last", function()
    local file = open()
    assert.is_true(file:lock())
    assert.equal("", file:read())
    for _, text in ipairs { "one", ("long "):rep(1000), "", "a\0b\r\n", ("x"):rep(100), "two" } do
      assert.is_true(file:write(text))
      assert.equal(text, file:read())
      assert.equal(text, open():read())
    end
    file:unlock()
  end)

  it("does not grow with every change", function()
    local file = open()
    file:lock()
    file:read()
    for i = 1, 100 do assert(file:write(("%d"):format(i):rep(300))) end
    assert.is_true(#content() < 4000)
  end)

  it("tells whether somebody has it, and neither makes nor takes anything by that", function()
    assert.is_false(files.is_locked(path))
    assert.is_nil(io.open(path, "rb"))
    local one, other = open(), open()
    assert.is_false(files.is_locked(path))
    assert.is_true(one:lock())
    assert.is_true(files.is_locked(path))
    -- It was not lost by that.
    assert.is_false(other:lock())
    one:unlock()
    assert.is_false(files.is_locked(path))
    assert.is_true(other:lock())
    other:close()
    assert.is_false(files.is_locked(path))
    -- Who may not write it may ask, too.
    assert.is_true(one:lock())
    os.execute("chmod 400 " .. path)
    assert.is_true(files.is_locked(path))
  end)

  it("does not tell that of what nothing is kept in", function()
    local target = path .. ".target"
    finally(function() os.remove(target) end)
    for problem, make in pairs { ["everybody on this machine may write it"] = "touch %s; chmod 666 %s",
      ["it is a symbolic link"] = "touch %s.target; ln -s %s.target %s", ["it is no regular file"] = "mkfifo %s" } do
      os.remove(path)
      os.execute((make:gsub("%%s", path)))
      assert.same({ nil, problem }, { files.is_locked(path) })
    end
    assert.has_error(function() files.is_locked(path .. "\0") end)
  end)

  it("is locked for all others who opened it, and for them alone", function()
    local one, other = open(), open()
    assert.is_true(one:lock())
    assert.is_true(one:lock())
    assert.is_false(other:lock())
    one:unlock()
    assert.is_true(other:lock())
    assert.is_false(one:lock())
    other:close()
    assert.is_true(one:lock())
  end)

  it("is for its owner alone", function()
    open()
    assert.equal("600", (shell.output_of(("stat -c %%a %s"):format(path)):gsub("%s", "")))
  end)

  it("keeps the text that was there when a change is cut short", function()
    local file = open()
    file:lock()
    file:read()
    assert(file:write(("old "):rep(100)))
    local whole = content()
    -- Whatever of the new text is on the disk already: the head still names the old one.
    for _, written in ipairs { 1, 50, 399 } do
      local handle = assert(io.open(path, "wb"))
      handle:write(whole, ("new "):rep(100):sub(1, written))
      handle:close()
      assert.equal(("old "):rep(100), file:read())
    end
    assert(file:write "new")
    assert.equal("new", file:read())
  end)

  it("refuses what is nothing of its kind, and says why", function()
    local cases = {
      { "something else", "something else" }, { "mdefile1", "something else" },
      { "mdefile1" .. ("\255"):rep(16), "damaged" },
      { "mdefile1" .. "\24\0\0\0\0\0\0\0" .. "\9\0\0\0\0\0\0\0" .. "short", "damaged" },
      { "mdefile1" .. ("\0"):rep(16), "damaged" },
    }
    for _, case in ipairs(cases) do
      local handle = assert(io.open(path, "wb"))
      handle:write(case[1])
      handle:close()
      local text, problem = open():read()
      assert.is_nil(text)
      assert.matches(case[2], problem)
    end
  end)

  it("is not opened where it would be no safe place", function()
    local function refused(what)
      local file, problem = files.open(path)
      assert.is_nil(file)
      assert.matches(what, problem)
      os.remove(path)
    end
    assert(os.execute(("ln -s /dev/null %s"):format(path)))
    refused "symbolic link"
    assert(os.execute(("mkfifo %s"):format(path)))
    refused "no regular file"
    assert(os.execute(("touch %s && chmod 666 %s"):format(path, path)))
    refused "everybody"
    local file, problem = files.open(path .. "/none")
    assert.is_nil(file)
    assert.matches("No such file", problem)
    assert.is_false(pcall(files.open, "a\0b"))
  end)

  it("is of no use when it is closed", function()
    local file = open()
    file:close()
    file:close()
    assert.is_false(pcall(file.lock, file))
    assert.is_false(pcall(file.read, file))
  end)
end)
