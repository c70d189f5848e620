-- A word of a command to be copied: what a shell makes of it is the text.
local shell = require "tests.spec.support.process.shell"
local shell_word = require "mde.base.shell_word"

describe("a word of a command", function()
  it("is as it is where a shell reads nothing into it", function()
    for _, text in ipairs { "20260203T031500Z-7f3a", "./runs/tonight.db", "INC-4711", "--key=x", "a@b:c,d+e%" } do
      assert.equal(text, shell_word.of(text))
    end
  end)

  it("is in single quotes where a shell would", function()
    assert.equal("'my run.db'", shell_word.of "my run.db")
    assert.equal("'it'\\''s'", shell_word.of "it's")
  end)

  it("is what a shell makes of it", function()
    for _, text in ipairs { "", "a b", "$(touch x)", "`id`", "a;b", "#4711", "~root", "it's", "a\nb", "a\\b", "=ls",
      "x&", '"', "(", "*", "St\195\182rung", "a'b'c", "{1,2}", "!!", "a|b>c<d" } do
      assert.equal(text .. ".", shell.output_of("printf %s. " .. shell_word.of(text)))
    end
  end)
end)
