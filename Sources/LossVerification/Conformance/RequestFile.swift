import LossDefinitions

/// The questions of a run as the lines of a file, for a program that pipes do not reach.
///
/// They are the messages of the protocol, all of them asked up front; the nonce states the seed and the
/// number of cases, so that the file says by itself how it is written again.
public struct RequestFile: Sendable {
  /// Of one loss.
  public var conformance: Conformance
  /// Items that a batch holds at most.
  public var batch = 256
  /// Whether numbers are written as decimals instead of bits.
  public var isDecimal = false

  public init(_ conformance: Conformance) { self.conformance = conformance }

  /// A file that cannot be read, or that no version of this wrote.
  public struct Malformed: Error, CustomStringConvertible {
    /// From 1; 0 for the whole file.
    public let line: Int
    public let reason: String
    public var description: String { line == 0 ? reason : "line \(line): \(reason)" }
  }

  // MARK: Writing

  /// - Throws: `Conformance.Unaskable`.
  public func lines() throws -> [String] { try messages().map(\.json.description) }

  /// A message, and what is asked by it.
  struct Request {
    enum Kind {
      case hello
      case select(Selection)
      case evaluate([Item], sequence: Int, gradient: Bool)
      case bye
    }
    let kind: Kind
    let json: JSON
  }

  func messages() throws -> [Request] {
    var recording = Recording(batch: batch)
    _ = try conformance.run(&recording)
    // A program may end where it is asked for what it does not offer: the loss goes first.
    let sections =
      recording.sections.filter { !$0.isSum } + recording.sections.filter(\.isSum)
    var requests = [Request(kind: .hello, json: Message.hello(nonce: nonce))]
    var sequence = 0
    for section in sections {
      let selection = section.selection
      requests.append(Request(kind: .select(selection), json: Message.select(selection)))
      let isIndex = catalog.first { $0.loss.name == selection.loss }?.loss.targetIsIndex ?? false
      for (items, gradient) in section.batches {
        sequence += 1
        requests.append(
          Request(
            kind: .evaluate(items, sequence: sequence, gradient: gradient),
            json: Message.evaluate(
              items, sequence: sequence, gradient: gradient, format: selection.format,
              decimal: isDecimal, targetIsIndex: isIndex)))
      }
    }
    return requests + [Request(kind: .bye, json: Message.bye)]
  }

  var nonce: String {
    "seed=\(conformance.seed) cases=\(conformance.cases) batch=\(batch) "
      + "numbers=\(isDecimal ? "decimal" : "hex")"
  }

  // MARK: Reading

  /// Reads a file that `lines` wrote, and makes sure that this version would ask the same.
  public init(reading text: String) throws {
    let lines = text.split(whereSeparator: \.isNewline).map { String($0) }
    guard lines.count >= 2 else {
      throw Malformed(line: 0, reason: "no requests; `lossref emit` writes them")
    }
    func message(_ k: Int) throws -> JSON {
      do { return try JSON(lines[k]) } catch {
        throw Malformed(line: k + 1, reason: "\(error)")
      }
    }
    var conformance = Conformance()
    guard case .text(let nonce)? = try message(0)["nonce"], let header = Self.header(nonce) else {
      throw Malformed(line: 1, reason: "not a hello that `lossref emit` writes")
    }
    (conformance.seed, conformance.cases) = (header.seed, header.cases)
    let select = try message(1)
    guard case .text(let loss)? = select["loss"], case .text(let dialect)? = select["dialect"],
      case .text(let type)? = select["dtype"], let format = Format(rawValue: type)
    else { throw Malformed(line: 2, reason: "not a select that `lossref emit` writes") }
    (conformance.losses, conformance.dialect, conformance.format) = ([loss], dialect, format)
    self.init(conformance)
    (batch, isDecimal) = (header.batch, header.isDecimal)
    let own = try self.lines()
    for (k, pair) in zip(own, lines).enumerated() where pair.0 != pair.1 {
      throw Malformed(
        line: k + 1, reason: "not what this version of lossref asks; write the requests again")
    }
    guard own.count == lines.count else {
      throw Malformed(
        line: 0, reason: "\(lines.count) lines; \(own.count) were written: write them again")
    }
  }

  private static func header(
    _ nonce: String
  ) -> (seed: UInt64, cases: Int, batch: Int, isDecimal: Bool)? {
    let words = nonce.split(separator: " ").map { $0.split(separator: "=") }
    guard words.map({ $0.first }) == ["seed", "cases", "batch", "numbers"],
      words.allSatisfy({ $0.count == 2 }), let seed = UInt64(words[0][1]),
      let cases = Int(words[1][1]), let batch = Int(words[2][1]), cases > 0, batch > 0,
      ["hex", "decimal"].contains(words[3][1])
    else { return nil }
    return (seed, cases, batch, words[3][1] == "decimal")
  }
}

/// Notes what it is asked.
private struct Recording: Implementation {
  struct Section {
    let selection: Selection
    var batches: [(items: [Item], gradient: Bool)] = []
    var isSum: Bool { selection == .sum(selection.format) }
  }

  let batch: Int
  var sections: [Section] = []

  var isRecorded: Bool { true }

  init(batch: Int) { self.batch = batch }

  func greet() -> Greeting { Greeting(name: "") }

  mutating func select(_ selection: Selection) -> String? {
    sections.append(Section(selection: selection))
    return nil
  }

  /// A rejection is the answer that leads to no question and is not judged.
  mutating func evaluate(_ items: [Item], gradient: Bool) -> [CaseAnswer] {
    items.batches(of: batch) { some in
      sections[sections.count - 1].batches.append((some, gradient))
      return some.map { _ in .rejected("") }
    }
  }
}
