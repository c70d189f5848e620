-- line_file: a file to which lines are appended.
-- Labels: not-lua5.3
local line_file = require "mde.cli.ui.line_file"
local script = require "tests.spec.support.process.script"
local shell = require "tests.spec.support.process.shell"

describe("a file of lines", function()
  local directory, path

  before_each(function()
    directory = shell.new_directory()
    path = directory .. "/lines"
  end)

  after_each(function() shell.remove(directory) end)

  it("is made for its owner alone, and appended to", function()
    for _, line in ipairs { "one", "two" } do
      local file = assert(line_file.open(path))
      assert.is_true(file:append(line))
      -- At once, not when it is closed.
      assert.matches(line .. "\n$", shell.read_file(path))
      file:close()
    end
    assert.equal("one\ntwo\n", shell.read_file(path))
    assert.equal("600\n", shell.output_of("stat -c %a " .. path))
  end)

  it("keeps the mode that it has", function()
    shell.write_file(path, "one\n")
    os.execute("chmod 640 " .. path)
    assert(line_file.open(path)):append "two"
    assert.equal("640\n", shell.output_of("stat -c %a " .. path))
  end)

  it("begins a line of its own behind one that was cut short", function()
    shell.write_file(path, "cut sh")
    os.execute("chmod 600 " .. path)
    local file = assert(line_file.open(path))
    file:append "one"
    file:append "two"
    assert.equal("cut sh\none\ntwo\n", shell.read_file(path))
  end)

  it("is not opened where it is no file for us alone", function()
    os.execute(("ln -s nowhere %s/link; touch %s/public; chmod 666 %s/public"):format(directory, directory, directory))
    for place, reason in pairs { ["/nowhere/x"] = "No such file or directory", [directory] = "Is a directory",
      ["/dev/null"] = "it is no regular file", [directory .. "/link"] = "it is a symbolic link",
      [directory .. "/public"] = "everybody on this machine may write it" } do
      local file, problem = line_file.open(place)
      assert.is_nil(file)
      assert.equal(reason, problem)
    end
  end)

  it("says why a line could not be written, and begins a line of its own where one was cut", function()
    local file = assert(line_file.open(path))
    local own = file.file
    file.file = { write = function(_, text)
      own:write(text:sub(1, 2))
      return nil, "No space left on device"
    end }
    assert.same({ false, "No space left on device" }, { file:append "one" })
    file.file = own
    for _, line in ipairs { "two", "three" } do assert.is_true((file:append(line))) end
    assert.equal("on\ntwo\nthree\n", shell.read_file(path))
  end)

  it("says so of a device that is full", function()
    local file = assert(line_file.open(path))
    file.file = assert(io.open("/dev/full", "a"))
    file.file:setvbuf "no"
    for _ = 1, 2 do assert.same({ false, "No space left on device" }, { file:append "x" }) end
  end)

  it("has each line in one piece where several append", function()
    local program = [[
      local path, letter = ...
      local file = assert(require "mde.cli.ui.line_file".open(path))
      for _ = 1, 200 do file:append(letter:rep(9000)) end]]
    local running = {}
    for i, letter in ipairs { "a", "b", "c" } do
      running[i] = script.start(program, { arguments = { path, letter } })
    end
    for _, one in ipairs(running) do assert.same({ "", "exit 0" }, { one.finish() }) end
    local count = 0
    for line in shell.read_file(path):gmatch "([^\n]+)\n" do
      count = count + 1
      assert.truthy(line:find "^a*$" or line:find "^b*$" or line:find "^c*$")
      assert.equal(9000, #line)
    end
    assert.equal(600, count)
  end)
end)
