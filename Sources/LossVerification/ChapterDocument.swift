/// Something in the specification that does not hold, and where.
public struct SpecificationFinding: Error, Equatable, CustomStringConvertible {
  public let file: String
  /// Counted from 1; 0 is the whole file.
  public let line: Int
  public let message: String

  init(_ file: String, _ line: Int, _ message: String) {
    self.file = file
    self.line = line
    self.message = message
  }

  init(_ file: String, _ line: Int, _ message: String, expected: String, given: String) {
    self.init(file, line, "\(message)\n  expected: \(expected)\n  given:    \(given)")
  }

  public var description: String {
    line == 0 ? "\(file): \(message)" : "\(file):\(line): \(message)"
  }
}

/// A Markdown file as lines: its headings, its generated blocks, its examples.
struct ChapterDocument {
  let file: String
  private(set) var lines: [String]

  struct Heading: Equatable {
    let line: Int
    let level: Int
    let text: String
  }

  init(_ file: String, _ text: String) {
    self.file = file
    lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }

  var text: String { lines.joined(separator: "\n") }

  /// The headings outside code blocks.
  var headings: [Heading] {
    var result: [Heading] = []
    var fenced = false
    for (i, line) in lines.enumerated() {
      if line.hasPrefix("```") { fenced.toggle() }
      let level = line.prefix { $0 == "#" }.count
      if !fenced, level > 0, line.dropFirst(level).hasPrefix(" ") {
        result.append(Heading(line: i, level: level, text: String(line.dropFirst(level + 1))))
      }
    }
    return result
  }

  /// The first paragraph after the title.
  var abstract: String {
    let body = lines.dropFirst().drop { $0.isEmpty }
    return body.prefix { !$0.isEmpty && !$0.hasPrefix("#") }.joined(separator: " ")
  }

  // MARK: Generated blocks

  static let end = "<!-- end -->"
  static func begin(_ block: String) -> String { "<!-- generated: \(block) -->" }

  /// The lines between a block's markers, or the finding that there is no such block.
  func block(_ name: String) -> Result<Range<Int>, SpecificationFinding> {
    let starts = lines.indices.filter { lines[$0] == Self.begin(name) }
    guard let start = starts.first else {
      return .failure(SpecificationFinding(file, 0, "no block \(Self.begin(name))"))
    }
    if starts.count > 1 {
      return .failure(
        SpecificationFinding(file, starts[1] + 1, "a second block \(Self.begin(name))"))
    }
    let after = lines[(start + 1)...]
    guard let end = after.firstIndex(of: Self.end),
      !after[..<end].contains(where: { $0.hasPrefix("<!-- generated: ") })
    else {
      return .failure(
        SpecificationFinding(file, start + 1, "the block has no \(Self.end)"))
    }
    return .success(start + 1..<end)
  }

  mutating func replace(_ block: String, with content: [String]) {
    if case .success(let range) = self.block(block) { lines.replaceSubrange(range, with: content) }
  }

  /// What is wrong with a block that should hold `content`: its first line that differs.
  func findings(in block: String, expecting content: [String]) -> [SpecificationFinding] {
    let range: Range<Int>
    switch self.block(block) {
    case .failure(let failure): return [failure]
    case .success(let found): range = found
    }
    let given = Array(lines[range])
    guard
      let i = (0..<Swift.max(given.count, content.count)).first(where: {
        $0 >= given.count || $0 >= content.count || given[$0] != content[$0]
      })
    else { return [] }
    func shown(_ lines: [String]) -> String {
      i < lines.count ? "\"\(lines[i])\"" : "the end of the block"
    }
    return [
      SpecificationFinding(
        file, range.lowerBound + i + 1, "the generated \(block) block is not up to date",
        expected: shown(content), given: shown(given))
    ]
  }

  // MARK: Code blocks

  /// The code blocks of a language, as the lines inside.
  func code(_ language: String) -> [Range<Int>] {
    let fences = lines.indices.filter { lines[$0].hasPrefix("```") }
    return stride(from: 0, to: fences.count - 1, by: 2).compactMap { i in
      lines[fences[i]] == "```" + language ? fences[i] + 1..<fences[i + 1] : nil
    }
  }
}
