import LossDefinitions

/// A loss's largest errors against the oracle, as measured; in ulps.
public struct Accuracy: Sendable, Codable, Equatable {
  public var items: Int
  public var value: Double
  public var gradient: Double
  public var valueDouble: Double
  public var gradientDouble: Double

  public init(
    items: Int, value: Double, gradient: Double, valueDouble: Double, gradientDouble: Double
  ) {
    self.items = items
    self.value = value
    self.gradient = gradient
    self.valueDouble = valueDouble
    self.gradientDouble = gradientDouble
  }
}

/// The argument for a loss: the chapter of the specification that has its name.
struct Chapter {
  let loss: LossSummary
  private(set) var document: ChapterDocument
  /// The text of the loss's source file.
  let source: String
  let accuracy: Accuracy?

  static let headings = [
    "Definition", "Reference", "Gradient", "Edges", "Dialects", "Laws", "Example", "Accuracy",
    "References",
  ]

  init(_ loss: LossSummary, text: String, source: String, accuracy: Accuracy?) {
    self.loss = loss
    document = ChapterDocument(loss.chapter, text)
    self.source = source
    self.accuracy = accuracy
  }

  // MARK: Checking

  func findings(_ losses: [LossSummary]) -> [SpecificationFinding] {
    var findings = outline()
    findings += quoteProblem.map { [$0] } ?? []
    for (name, content) in generated {
      findings += document.findings(in: name, expecting: content)
      findings += misplaced(name)
    }
    return findings + accuracyProblem + examples(losses)
  }

  private var accuracyProblem: [SpecificationFinding] {
    guard let accuracy else {
      return [SpecificationFinding(document.file, 0, "no accuracy of \(loss.name) is measured")]
    }
    let value = Swift.max(accuracy.value, accuracy.valueDouble)
    let gradient = Swift.max(accuracy.gradient, accuracy.gradientDouble)
    if value <= loss.valueBar, gradient <= loss.gradientBar { return [] }
    return [
      SpecificationFinding(
        document.file, 0, "the measured accuracy of \(loss.name) misses its bars",
        expected: "value \(loss.valueBar.brief), gradient \(loss.gradientBar.brief)",
        given: "value \(value.brief), gradient \(gradient.brief)")
    ]
  }

  /// The title, a sentence, and the fixed headings in order.
  private func outline() -> [SpecificationFinding] {
    let all = document.headings
    var findings: [SpecificationFinding] = []
    if all.first?.level != 1 || all.first?.line != 0 || all.filter({ $0.level == 1 }).count != 1 {
      findings.append(
        SpecificationFinding(document.file, 1, "a chapter must start with its only title"))
    }
    if document.abstract.isEmpty {
      findings.append(
        SpecificationFinding(document.file, 1, "a sentence must follow the title"))
    }
    let given = all.filter { $0.level == 2 }
    let texts = given.map(\.text)
    if texts != Self.headings {
      let i = zip(texts, Self.headings).prefix { $0 == $1 }.count
      findings.append(
        SpecificationFinding(
          document.file, i < given.count ? given[i].line + 1 : document.lines.count,
          "the headings are not the fixed ones",
          expected: i < Self.headings.count ? "## \(Self.headings[i])" : "no further heading",
          given: i < given.count ? "## \(given[i].text)" : "the end of the file"))
    }
    return findings
  }

  /// A generated block belongs under its own heading.
  private func misplaced(_ name: String) -> [SpecificationFinding] {
    guard case .success(let range) = document.block(name) else { return [] }
    let section = document.headings.last { $0.level == 2 && $0.line < range.lowerBound }
    let expected =
      name == "figure" ? "Gradient" : name.prefix(1).uppercased() + name.dropFirst()
    guard let section, section.text != expected else { return [] }
    return [
      SpecificationFinding(
        document.file, range.lowerBound, "the \(name) block is under another heading",
        expected: "## \(expected)", given: "## \(section.text)")
    ]
  }

  private func examples(_ losses: [LossSummary]) -> [SpecificationFinding] {
    let examples = document.examples
    let own = loss.kind == .assignment || examples.contains { $0.loss == loss.name }
    let missing = SpecificationFinding(
      document.file, 0, "the chapter has no example of \(loss.name)")
    return examples.flatMap { $0.findings(losses) } + (own ? [] : [missing])
  }

  // MARK: Generating

  /// The chapter with its generated blocks brought up to date.
  func updated() -> String {
    var document = document
    for (name, content) in generated { document.replace(name, with: content) }
    return document.text
  }

  private var generated: [(String, [String])] {
    [
      ("reference", ["```swift"] + quote + ["```"]),
      ("dialects", dialects),
      ("laws", loss.laws.map { "- \($0)" }),
      ("accuracy", measured),
    ] + (Shift.isShown(loss) ? [("figure", Shift.block(loss))] : [])
  }

  private static let marks = (begin: "// MARK: Reference", end: "// MARK: Optimized")

  /// The source's lines between its two marks.
  private var quote: [String] {
    let lines = source.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    func at(_ mark: String) -> Int? {
      lines.firstIndex { $0.drop { $0 == " " } == Substring(mark) }
    }
    guard let begin = at(Self.marks.begin), let end = at(Self.marks.end), begin < end else {
      return []
    }
    let body = lines[(begin + 1)..<end].drop { $0.isEmpty }
    return Array(body[...(body.lastIndex { !$0.isEmpty } ?? body.startIndex - 1)])
  }

  private var quoteProblem: SpecificationFinding? {
    guard quote.isEmpty else { return nil }
    return SpecificationFinding(
      loss.source, 0, "no lines between \(Self.marks.begin) and \(Self.marks.end)")
  }

  private var dialects: [String] {
    if loss.dialects.isEmpty { return ["No framework's function is this loss alone."] }
    func cell(_ text: String) -> String { text.replacing("|", with: "\\|") }
    return ["| framework | function | |", "| --- | --- | --- |"]
      + loss.dialects.map { "| \(cell($0.peer)) | `\($0.function)` | \(cell($0.note)) |" }
  }

  private var measured: [String] {
    guard let accuracy else { return ["Not measured."] }
    if loss.kind == .assignment {
      return ["Both versions gave the same matching of all \(accuracy.items) problems."]
    }
    if loss.kind == .objective {
      return [
        "Largest errors over \(accuracy.items) scenes: a term's in ulps of itself, the gradient's in ulps of the",
        "largest component of its head.",
      ] + table(accuracy, value: "terms")
    }
    return [
      "Largest errors over \(accuracy.items) items: the value's in ulps of the result, the gradient's in ulps",
      "of its scale.",
    ] + table(accuracy, value: "value")
  }

  private func table(_ accuracy: Accuracy, value: String) -> [String] {
    [
      "",
      "| | bar | Float | Double |",
      "| --- | --- | --- | --- |",
      "| \(value) | \(loss.valueBar.brief) | \(accuracy.value.brief) "
        + "| \(accuracy.valueDouble.brief) |",
      "| gradient | \(loss.gradientBar.brief) | \(accuracy.gradient.brief) "
        + "| \(accuracy.gradientDouble.brief) |",
    ]
  }
}

extension Double {
  /// To two decimals, upward; a number of two decimals stays as it is.
  var roundedUp: Double { (self * 100 * (1 - 0x1p-40)).rounded(.up) / 100 }

  /// To two decimals, without those that are zero.
  var brief: String { Int(exactly: roundedUp).map(String.init) ?? "\(roundedUp)" }
}
