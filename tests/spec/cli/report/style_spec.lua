-- How the page of a report looks: the digest that the page names is that of the style, and every colour can be read.
local core = require "mde.core"
local crypto = require "mde.crypto"
local style = require "mde.cli.report.style"

describe("the style of a page", function()
  it("is the one that its digest stands for", function()
    assert.equal("sha256-" .. core.base64.encode(assert(crypto.sha256(style.text))), style.digest)
  end)

  it("loads nothing and cannot end the element that it stands in", function()
    for _, words in ipairs { "url(", "@import", "<", "expression", "://" } do
      assert.is_nil(style.text:find(words, 1, true))
    end
  end)

  -- The colours by name of one rule.
  local function colours_of(beginning)
    local text = assert(style.text:match(beginning .. "([^}]*)"), beginning)
    local own = {}
    for name, digits in text:gmatch "%-%-(%a+):#(%x+)" do
      if #digits == 3 then digits = digits:gsub("%x", "%0%0") end
      own[name] = digits
    end
    return own
  end

  -- As WCAG 2.1 defines it.
  local function luminance(digits)
    local sum = 0
    for i, weight in ipairs { 0.2126, 0.7152, 0.0722 } do
      local value = tonumber(digits:sub(2 * i - 1, 2 * i), 16) / 255
      sum = sum + weight * (value <= 0.04045 and value / 12.92 or ((value + 0.055) / 1.055) ^ 2.4)
    end
    return sum
  end

  local function contrast(a, b)
    local x, y = luminance(a), luminance(b)
    return (math.max(x, y) + 0.05) / (math.min(x, y) + 0.05)
  end

  for name, beginning in pairs { light = ":root{color%-scheme", dark = "prefers%-color%-scheme:dark%){:root{",
    paper = "@media print{:root{" } do
    it("can be read: " .. name, function()
      local colours, count = colours_of(beginning), 0
      for _, ground in ipairs { "back", "band", "shade" } do
        for _, text in ipairs { "fore", "soft", "needs", "done", "open", "sent", "accepted" } do
          local found = contrast(assert(colours[text], text), assert(colours[ground], ground))
          count = count + 1
          assert.is_true(found >= 4.5, ("%s on %s: %.2f"):format(text, ground, found))
        end
      end
      assert.equal(21, count)
    end)
  end

  it("repeats the heading of a table on each sheet of paper, and parts no row", function()
    local paper = assert(style.text:match "@media print(.*)$")
    assert.truthy(paper:find("thead{display:table-header-group}", 1, true))
    assert.truthy(paper:find("break-inside:avoid", 1, true))
  end)
end)
