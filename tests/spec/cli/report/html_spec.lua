-- Texts as they may stand in HTML, and the file that a page is written into.
local html = require "mde.cli.report.html"
local rehearsal = require "tests.spec.support.rehearsal"
local shell = require "tests.spec.support.process.shell"

describe("a text in HTML", function()
  for text, written in pairs {
    ["pc-1.corp.example"] = "pc-1.corp.example", [""] = "", ["a&b"] = "a&amp;b", ["<script>"] = "&lt;script&gt;",
    ['" onload="x'] = "&quot; onload=&quot;x", ["' x='"] = "&#39; x=&#39;", ["&amp;"] = "&amp;amp;",
    ["a\0b"] = "a\\x00b", ["a\nb\tc\rd"] = "a\\x0ab\\x09c\\x0dd", ["\226\128\174x"] = "\\xe2\\x80\\xaex",
    ["\226\128\139"] = "\\xe2\\x80\\x8b", ["\255"] = "\\xff", ["\194\155"] = "\\xc2\\x9b", ["M\195\188ller"] =
    "M\195\188ller",
  } do
    it("is harmless: " .. written, function() assert.equal(written, html.text(text)) end)
  end

  it("is cut where a character ends", function()
    assert.equal(("x"):rep(397) .. "...", html.text(("x"):rep(10000)))
    assert.equal(("\195\188"):rep(3) .. "...", html.text(("\195\188"):rep(50), 10))
    assert.equal("", html.text(nil))
    assert.equal("5", html.text(5))
  end)

  it("has many lines where that is asked for", function()
    assert.equal("a &lt; b\n    c\n\\x1b[m\n", html.lines("a < b\r\n\tc\n\27[m\n", 100))
    assert.is_true(#html.lines(("x"):rep(1000), 100) <= 100)
  end)

  it("is a time with its day, if that is not told elsewhere", function()
    assert.equal('<time datetime="2026-11-29T02:58:04Z">2026-11-29 02:58:04</time>', html.time(1795921084))
    assert.equal('<time datetime="2026-11-29T02:58:04Z">02:58:04</time>', html.time(1795921084, "2026-11-29"))
    assert.equal('<time datetime="2026-11-29T02:58:04Z">2026-11-29 02:58:04</time>',
      html.time(1795921084, "2026-11-30"))
    assert.equal("", html.time(nil))
  end)
end)

describe("the file of a page", function()
  local directory, path

  before_each(function()
    directory = shell.new_directory_in_memory()
    path = directory .. "/page.html"
  end)

  after_each(function() shell.remove(directory) end)

  it("is made for its owner alone", function()
    html.write(path, function(out)
      out("a", "b")
      out "c"
    end)
    assert.equal("abc", shell.read_file(path))
    assert.matches("^%-rw%-%-%-%-%-%-%-", shell.output_of("ls -l " .. path))
  end)

  it("does not take the place of one that is there, nor of what a link leads to", function()
    shell.write_file(path, "mine")
    assert.equal("report_unwritable", rehearsal.refused(html.write, path, error).code)
    assert.equal("mine", shell.read_file(path))
    shell.output_of(("ln -s nowhere %s/link"):format(directory))
    assert.equal("report_unwritable", rehearsal.refused(html.write, directory .. "/link", error).code)
    assert.is_nil(shell.read_file(directory .. "/nowhere"))
    assert.equal("report_unwritable", rehearsal.refused(html.write, directory .. "/none/x", error).code)
    os.execute(("mkfifo %s/fifo"):format(directory))
    assert.equal("report_unwritable", rehearsal.refused(html.write, directory .. "/fifo", error).code)
    assert.equal("empty_text", rehearsal.refused(html.write, "", error).code)
  end)

  it("is not left half", function()
    local ok, problem = pcall(html.write, path, function(out)
      out "half"
      error("it went wrong", 0)
    end)
    assert.is_false(ok)
    assert.equal("it went wrong", problem)
    assert.is_nil(shell.read_file(path))
  end)

  it("that the disk is full for is said, and taken away", function()
    local open, written = io.open, 0
    io.open = function(place, mode) -- luacheck: ignore 122
      if place ~= path or mode ~= "wb" then return open(place, mode) end
      return { setvbuf = function() end, close = function() return true end, write = function()
        written = written + 1
        return nil, "No space left on device"
      end }
    end
    local err = rehearsal.refused(html.write, path, function(out)
      out "a"
      out "b"
    end)
    io.open = open -- luacheck: ignore 122
    assert.equal("report_unwritable", err.code)
    assert.matches("No space left", err.message)
    assert.equal(1, written)
    assert.is_nil(shell.read_file(path))
  end)
end)
