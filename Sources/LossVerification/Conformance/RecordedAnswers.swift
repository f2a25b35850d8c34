import LossDefinitions

/// The answers to a file of requests, as an implementation that knows no others.
public struct RecordedAnswers: Implementation {
  private struct Section {
    let selection: Selection
    var unsupported: String?
    var batches: [(items: [Item], answers: [CaseAnswer])] = []
  }

  private let file: RequestFile
  private var greeting = Greeting(name: "")
  private var sections: [Section] = []
  private var current = 0
  private var next = 0
  /// The first lines that are not JSON, and how many they are.
  public private(set) var noise: [String] = []
  public private(set) var noiseCount = 0

  public var isRecorded: Bool { true }

  /// Pairs each request with its answer.
  ///
  /// - Throws: `ImplementationFailure` where an answer is missing or breaks the protocol.
  public init(to file: RequestFile, _ text: String) throws {
    self.file = file
    var lines = Lines(text)
    for request in try file.messages() {
      do throws(Message.Violation) {
        try take(request, &lines)
      } catch {
        throw ImplementationFailure("line \(lines.number): \(error.description)")
      }
    }
    if let extra = lines.next() {
      throw ImplementationFailure(
        "line \(lines.number): every request has been answered, but here is \(extra)".prefixed(200))
    }
    (noise, noiseCount) = (lines.noise, lines.noiseCount)
  }

  private mutating func take(
    _ request: RequestFile.Request, _ lines: inout Lines
  ) throws(Message.Violation) {
    switch request.kind {
    case .bye: break
    case .hello:
      let isDecimal: Bool
      (greeting, isDecimal) = try Message.greeting(
        try lines.due("the answer to hello"), nonce: file.nonce)
      if isDecimal != file.isDecimal {
        let form = isDecimal ? "decimal" : "hex"
        throw Message.Violation("the program wants numbers in \(form): emit --numbers \(form)")
      }
      if greeting.maxBatch < file.batch {
        let most = greeting.maxBatch
        throw Message.Violation("the program takes \(most) items a batch: emit --batch \(most)")
      }
    case .select(let selection):
      let answer = try lines.due("the answer to select \(selection.loss)")
      sections.append(
        Section(selection: selection, unsupported: try Message.selection(answer)))
    case .evaluate(let items, let sequence, let gradient):
      let section = sections[sections.count - 1]
      guard section.unsupported == nil else {
        // What is not offered has been asked all the same; whether it was answered does not matter.
        if lines.peek()?["seq"] == .number(Double(sequence)) { _ = lines.next() }
        return
      }
      let batch = try Message.batch(
        try lines.due("the answer to eval \(sequence)"), sequence: sequence, items: items,
        gradient: gradient && greeting.gradient, format: section.selection.format)
      let answers =
        switch batch {
        case .answers(let answers): answers
        case .error(let why): items.map { _ in CaseAnswer.failed(why) }
        }
      sections[sections.count - 1].batches.append((items, answers))
    }
  }

  // MARK: Answering

  public func greet() -> Greeting { greeting }

  public mutating func select(_ selection: Selection) throws -> String? {
    guard let found = sections.firstIndex(where: { $0.selection == selection }) else {
      throw ImplementationFailure("the requests do not select \(selection.place)")
    }
    (current, next) = (found, 0)
    return sections[found].unsupported
  }

  public mutating func evaluate(_ items: [Item], gradient: Bool) throws -> [CaseAnswer] {
    try items.batches(of: file.batch) { some in
      let batches = sections[current].batches
      // Questions are asked in order, and some of them not at all.
      guard let found = batches[next...].firstIndex(where: { Self.same($0.items, some) }) else {
        throw ImplementationFailure("the requests do not ask for \(some.count) items like these")
      }
      next = found + 1
      return batches[found].answers
    }
  }

  private static func same(_ a: [Item], _ b: [Item]) -> Bool {
    func bits(_ x: [Double], _ y: [Double]) -> Bool {
      x.count == y.count && zip(x, y).allSatisfy { $0.bitPattern == $1.bitPattern }
    }
    return a.count == b.count
      && zip(a, b).allSatisfy { bits($0.prediction, $1.prediction) && bits($0.target, $1.target) }
  }
}

/// The lines of a file that are JSON objects.
private struct Lines {
  private let lines: [Substring]
  private var at = 0
  private var peeked: JSON?
  private(set) var noise: [String] = []
  private(set) var noiseCount = 0

  init(_ text: String) { lines = text.split(omittingEmptySubsequences: false) { $0.isNewline } }

  /// The line read last, from 1.
  var number: Int { at }

  mutating func peek() -> JSON? {
    if let peeked { return peeked }
    while at < lines.count {
      at += 1
      let line = lines[at - 1]
      if let json = try? JSON(String(line)), case .object = json {
        peeked = json
        return json
      }
      if line.allSatisfy(\.isWhitespace) { continue }
      noiseCount += 1
      if noise.count < 3 { noise.append(String(line.prefix(200))) }
    }
    return nil
  }

  mutating func next() -> JSON? {
    defer { peeked = nil }
    return peek()
  }

  mutating func due(_ what: String) throws(Message.Violation) -> JSON {
    guard let json = next() else {
      let last = noise.last.map { "; the last line that is not JSON is \($0)" } ?? ""
      throw Message.Violation("the answers end where \(what) was due\(last)")
    }
    return json
  }
}

extension String {
  fileprivate func prefixed(_ count: Int) -> String { String(prefix(count)) }
}
