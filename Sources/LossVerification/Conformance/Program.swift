import Foundation
import LossDefinitions

/// A program that answers the protocol over its pipes, and the supervision of it.
///
/// The program is started once. Where it ends or does not answer in time, it is started again and the
/// batch is bisected to the item that does it; the third time it is given up. Lines that are not JSON
/// are set aside and counted.
public final class Program: Implementation {
  /// What went wrong with the program.
  public struct Fault: Sendable {
    /// "ended with status 1".
    public let what: String
    /// The guilty item; nil where the batch was answered when it was repeated.
    public let item: Item?
    /// Items answered since the program had been started.
    public let after: Int
    /// The end of its standard error.
    public let errors: String

    public init(what: String, item: Item?, after: Int, errors: String) {
      self.what = what
      self.item = item
      self.after = after
      self.errors = errors
    }
  }

  private let command: [String]
  /// Seconds that a batch, or the greeting, may take.
  private let timeLimit: Double
  private var child: ChildProcess?
  private var selection: Selection?
  private var isDecimal = false
  private var targetIsIndex = false
  private var sequence = 0
  private var answered = 0
  private var slowest = 0.0
  private var maxBatch = 256
  public private(set) var faults: [Fault] = []
  /// The first lines that were set aside, and how many they are.
  public private(set) var noise: [String] = []
  public private(set) var noiseCount = 0
  /// Seconds spent waiting for answers.
  public private(set) var waited = 0.0

  /// It is given up at this many faults.
  public static let faultLimit = 3

  public init(_ command: [String], timeLimit: Double = 60) {
    self.command = command
    self.timeLimit = timeLimit
  }

  deinit { child?.end(within: 1) }

  /// Says goodbye, and gives the program a moment to end.
  public func finish() {
    child?.send(Message.bye.description)
    child?.end(within: 2)
    child = nil
  }

  // MARK: Starting

  public func greet() throws -> Greeting {
    child = try ChildProcess(command)
    answered = 0
    let nonce = String(UInt64.random(in: 0 ... .max), radix: 16)
    switch try exchange(Message.hello(nonce: nonce), limit: timeLimit) {
    case .answer(let json):
      let (greeting, decimal) = try keepingTheRules { () throws(Message.Violation) in
        try Message.greeting(json, nonce: nonce)
      }
      isDecimal = decimal
      maxBatch = greeting.maxBatch
      return greeting
    case .lost(let what):
      throw failure("at hello, the program \(what)")
    }
  }

  public func select(_ selection: Selection) throws -> String? {
    self.selection = selection
    targetIsIndex =
      LossDefinitions.catalog.first { $0.loss.name == selection.loss }?.loss.targetIsIndex ?? false
    switch try exchange(Message.select(selection), limit: timeLimit) {
    case .answer(let json):
      return try keepingTheRules { () throws(Message.Violation) in try Message.selection(json) }
    case .lost(let what):
      throw failure("at select \(selection.loss), the program \(what)")
    }
  }

  private func restart() throws {
    child?.end(within: 0)
    child = nil
    _ = try greet()
    if let selection, let why = try select(selection) {
      throw failure("started again, the program does not offer \(selection.loss): \(why)")
    }
  }

  // MARK: Asking

  public func evaluate(_ items: [Item], gradient: Bool) throws -> [CaseAnswer] {
    try items.batches(of: maxBatch) { try answer($0, gradient) }
  }

  private func answer(_ items: [Item], _ gradient: Bool) throws -> [CaseAnswer] {
    let before = faults.count
    let (answers, what) = try attempt(items, gradient, limit: timeLimit)
    if let answers { return answers }
    let (after, errors) = (answered, child?.errorTail ?? "")
    try restart()
    let found = try bisect(items, gradient, what)
    if faults.count == before {
      try add(Fault(what: what, item: nil, after: after, errors: errors))
    }
    return found
  }

  /// Answers of a batch that was lost as a whole, with the guilty items' failure.
  private func bisect(_ items: [Item], _ gradient: Bool, _ why: String) throws -> [CaseAnswer] {
    // Where a batch hung, waiting as long for each part would take minutes.
    let limit = Swift.min(timeLimit, Swift.max(2, 20 * slowest))
    let halves =
      items.count == 1
      ? [items] : [Array(items[..<(items.count / 2)]), Array(items[(items.count / 2)...])]
    var answers: [CaseAnswer] = []
    for half in halves {
      let (found, what) = try attempt(half, gradient, limit: limit)
      if let found {
        answers += found
      } else if half.count == 1 {
        let fault = Fault(
          what: what, item: half[0], after: answered, errors: child?.errorTail ?? "")
        try add(fault)
        try restart()
        answers.append(.failed(what))
      } else {
        try restart()
        answers += try bisect(half, gradient, what)
      }
    }
    return answers
  }

  private func add(_ fault: Fault) throws {
    faults.append(fault)
    if faults.count == Self.faultLimit {
      child?.end(within: 0)
      throw failure("given up after \(faults.count) faults")
    }
  }

  /// One message; nil and what happened where the program is lost.
  private func attempt(
    _ items: [Item], _ gradient: Bool, limit: Double
  ) throws -> ([CaseAnswer]?, String) {
    guard let format = selection?.format else { return ([], "") }
    sequence += 1
    let began = Date()
    let message = Message.evaluate(
      items, sequence: sequence, gradient: gradient, format: format, decimal: isDecimal,
      targetIsIndex: targetIsIndex)
    switch try exchange(message, limit: limit) {
    case .lost(let what): return (nil, what)
    case .answer(let json):
      slowest = Swift.max(slowest, Date().timeIntervalSince(began))
      let sequence = sequence
      let batch = try keepingTheRules { () throws(Message.Violation) in
        try Message.batch(
          json, sequence: sequence, items: items, gradient: gradient, format: format)
      }
      switch batch {
      case .answers(let answers):
        answered += items.count
        return (answers, "")
      case .error(let why):
        guard items.count > 1 else { return ([.failed(why)], "") }
        // Each item by itself tells which of them the error is of.
        var answers: [CaseAnswer] = []
        for item in items {
          let (answer, what) = try attempt([item], gradient, limit: limit)
          guard let answer else { return (nil, what) }
          answers += answer
        }
        return (answers, "")
      }
    }
  }

  private enum Reply {
    case answer(JSON)
    case lost(String)
  }

  /// Sends a message and waits for the next line that is JSON.
  private func exchange(_ message: JSON, limit: Double) throws -> Reply {
    guard let child else { throw failure("the program has not been started") }
    let began = Date()
    defer { waited += Date().timeIntervalSince(began) }
    let deadline = began.addingTimeInterval(limit)
    child.send(message.description)
    while true {
      switch child.receive(until: deadline) {
      case .timeout: return .lost("did not answer within \(brief(limit)) s")
      case .closed:
        return .lost(child.end(within: 2, orElse: "closed its standard output and went on"))
      case .line(let line):
        if let json = try? JSON(line), case .object = json { return .answer(json) }
        if line.allSatisfy(\.isWhitespace) { continue }
        noiseCount += 1
        if noise.count < 3 { noise.append(String(line.prefix(200))) }
      }
    }
  }

  private func brief(_ seconds: Double) -> String {
    seconds == seconds.rounded() ? "\(Int(seconds))" : String(format: "%.1f", seconds)
  }

  private func keepingTheRules<R>(_ body: () throws(Message.Violation) -> R) throws -> R {
    do {
      return try body()
    } catch {
      throw failure("the program breaks the protocol: \(error.description)")
    }
  }

  /// A failure, with what the program has said.
  private func failure(_ what: String) -> ImplementationFailure {
    var lines = [what]
    for (i, fault) in faults.enumerated() {
      lines.append("\(i + 1). it \(fault.what), \(fault.after) items after it was started")
      if let item = fault.item {
        lines.append("   at prediction \(item.prediction)\n   and target \(item.target)")
      } else {
        lines.append("   answering the same items afterwards: it is not the input")
      }
    }
    if noiseCount > 0 {
      lines.append("lines on its standard output that are not JSON: \(noiseCount), the first:")
      lines += noise.map { "  " + $0 }
    }
    let errors = child?.errorTail ?? ""
    let said = errors.isEmpty ? faults.last?.errors ?? "" : errors
    if !said.isEmpty {
      lines.append("the end of its standard error:")
      lines += said.split(separator: "\n").suffix(8).map { "  " + $0 }
    }
    return ImplementationFailure(lines.joined(separator: "\n"))
  }
}
