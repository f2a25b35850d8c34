import LossDefinitions

/// The messages of the protocol, one JSON object a line; `Spec/Protocol` holds their schemas.
enum Message {
  static let version = 1

  static func hello(nonce: String) -> JSON {
    .object([
      "command": .text("hello"), "protocol": .number(Double(version)), "nonce": .text(nonce),
    ])
  }

  static func select(_ selection: Selection) -> JSON {
    .object([
      "command": .text("select"), "loss": .text(selection.loss),
      "dialect": .text(selection.dialect), "dtype": .text(selection.format.rawValue),
      "parameters": .object(selection.parameters.mapValues { .word($0) }),
    ])
  }

  static func evaluate(
    _ items: [Item], sequence: Int, gradient: Bool, format: Format, decimal: Bool,
    targetIsIndex: Bool
  ) -> JSON {
    func tensor(_ rows: [[Double]], _ isIndex: Bool) -> JSON {
      let shape: [JSON] = [.number(Double(rows.count)), .number(Double(rows.first?.count ?? 0))]
      let numbers = rows.flatMap { $0 }
      return .object([
        "shape": .list(shape),
        "data": isIndex || decimal
          ? .list(numbers.map { .word($0) }) : .text(PackedNumbers.text(numbers, format)),
      ])
    }
    return .object([
      "command": .text("eval"), "seq": .number(Double(sequence)),
      "gradient": .flag(gradient),
      "prediction": tensor(items.map(\.prediction), false),
      "target": tensor(items.map(\.target), targetIsIndex),
    ])
  }

  static let bye = JSON.object(["command": .text("bye")])

  // MARK: Answers

  /// An answer that is not what the protocol says.
  struct Violation: Error {
    let description: String
    init(_ description: String) { self.description = description }
  }

  static func greeting(_ json: JSON, nonce: String) throws(Violation) -> (Greeting, Bool) {
    try expectMembers(
      json, of: "the answer to hello", required: ["nonce", "protocol", "name"],
      optional: [
        "version", "language", "losses", "gradient", "maxBatch", "deterministic", "numbers",
      ])
    guard json["nonce"] == .text(nonce) else {
      throw Violation("the answer to hello must repeat the nonce \"\(nonce)\"")
    }
    guard json["protocol"] == .number(Double(version)) else {
      throw Violation("the program speaks protocol \(json["protocol"] ?? .null), not \(version)")
    }
    var greeting = Greeting(name: try text(json, "name") ?? "")
    greeting.version = try text(json, "version") ?? ""
    greeting.language = try text(json, "language") ?? ""
    greeting.gradient = try flag(json, "gradient") ?? true
    greeting.deterministic = try flag(json, "deterministic") ?? true
    switch json["losses"] {
    case nil: break
    case .list(let names):
      for case .text(let name) in names { greeting.losses.append(name) }
      guard greeting.losses.count == names.count else {
        throw Violation("\"losses\" must be an array of strings")
      }
    default: throw Violation("\"losses\" must be an array of strings")
    }
    switch json["maxBatch"] {
    case nil: break
    case .number(let size) where size >= 1 && size == size.rounded():
      greeting.maxBatch = Int(Swift.min(size, 4096))
    default: throw Violation("\"maxBatch\" must be a whole number of at least 1")
    }
    let numbers = try text(json, "numbers") ?? "hex"
    guard ["hex", "decimal"].contains(numbers) else {
      throw Violation("\"numbers\" must be \"hex\" or \"decimal\", not \"\(numbers)\"")
    }
    return (greeting, numbers == "decimal")
  }

  /// Nil where the selection is accepted, or why it is not offered.
  static func selection(_ json: JSON) throws(Violation) -> String? {
    try expectMembers(json, of: "the answer to select", optional: ["ok", "unsupported"])
    if let why = try text(json, "unsupported") { return why }
    guard json["ok"] == .flag(true) else {
      throw Violation("the answer to select must be {\"ok\": true} or {\"unsupported\": WHY}")
    }
    return nil
  }

  enum Batch: Equatable {
    case answers([CaseAnswer])
    case error(String)
  }

  static func batch(
    _ json: JSON, sequence: Int, items: [Item], gradient: Bool, format: Format
  ) throws(Violation) -> Batch {
    guard case .number(let number)? = json["seq"] else {
      throw Violation("the answer to eval \(sequence) has no \"seq\"")
    }
    guard number == Double(sequence) else {
      throw Violation(
        "the answer to eval \(JSON.number(number)) came where that to \(sequence) was due")
    }
    if let why = try text(json, "error") { return .error(why) }
    try expectMembers(
      json, of: "the answer to eval", required: ["seq", "value"],
      optional: ["gradient", "rejected"])
    let values = try numbers(json, "value", count: items.count, format)
    let width = items.first?.prediction.count ?? 0
    let slopes =
      gradient ? try numbers(json, "gradient", count: items.count * width, format) : []
    var answers: [CaseAnswer] = items.indices.map { i in
      .numbers(
        value: values[i], gradient: gradient ? Array(slopes[i * width..<(i + 1) * width]) : nil)
    }
    switch json["rejected"] {
    case nil: break
    case .object(let reasons):
      for (key, reason) in reasons {
        guard let index = Int(key), answers.indices.contains(index), case .text(let why) = reason
        else {
          throw Violation(
            "\"rejected\" must map indices below \(items.count) to reasons; it has \"\(key)\"")
        }
        answers[index] = .rejected(why)
      }
    default: throw Violation("\"rejected\" must be an object")
    }
    return .answers(answers)
  }

  // MARK: Members

  private static func expectMembers(
    _ json: JSON, of name: String, required: [String] = [], optional: [String]
  ) throws(Violation) {
    guard case .object(let members) = json else {
      throw Violation("\(name) must be an object; it is \(json.kind)")
    }
    for key in required where members[key] == nil { throw Violation("\(name) has no \"\(key)\"") }
    for key in members.keys.sorted() where !required.contains(key) && !optional.contains(key) {
      throw Violation("\(name) has an unknown member \"\(key)\"")
    }
  }

  private static func text(_ json: JSON, _ key: String) throws(Violation) -> String? {
    switch json[key] {
    case nil: return nil
    case .text(let text): return text
    case let other?: throw Violation("\"\(key)\" must be a string; it is \(other.kind)")
    }
  }

  private static func flag(_ json: JSON, _ key: String) throws(Violation) -> Bool? {
    switch json[key] {
    case nil: return nil
    case .flag(let flag): return flag
    case let other?: throw Violation("\"\(key)\" must be true or false; it is \(other.kind)")
    }
  }

  private static func numbers(
    _ json: JSON, _ key: String, count: Int, _ format: Format
  ) throws(Violation) -> [Double] {
    let numbers: [Double]
    switch json[key] {
    case .text(let text):
      guard let unpacked = PackedNumbers.numbers(text, format) else {
        throw Violation(
          "\"\(key)\" must be \(format.width / 4) hexadecimal digits for each number; "
            + "it has \(text.utf8.count) characters")
      }
      numbers = unpacked
    case .list(let entries):
      var parsed: [Double] = []
      for (i, entry) in entries.enumerated() {
        guard let number = entry.wordValue else {
          throw Violation("entry \(i) of \"\(key)\" must be a number; it is \(entry.kind)")
        }
        // The digits of a number of the format may be its shortest.
        parsed.append(format.rounded(number))
      }
      numbers = parsed
    case nil: throw Violation("the answer to eval has no \"\(key)\"")
    case let other?:
      throw Violation("\"\(key)\" must be a string or an array; it is \(other.kind)")
    }
    guard numbers.count == count else {
      throw Violation("\"\(key)\" has \(numbers.count) numbers; \(count) were due")
    }
    return numbers
  }
}

extension [Item] {
  /// Answers to items that are asked for in batches, of at most so many items and one shape each: what
  /// one message holds.
  func batches(
    of size: Int, _ answer: ([Item]) throws -> [CaseAnswer]
  ) rethrows -> [CaseAnswer] {
    func shape(_ item: Item) -> SIMD2<Int> { SIMD2(item.prediction.count, item.target.count) }
    var answers = [CaseAnswer?](repeating: nil, count: count)
    let alike = Dictionary(grouping: indices) { shape(self[$0]) }
    for indices in alike.values.sorted(by: { $0[0] < $1[0] }) {
      for first in stride(from: 0, to: indices.count, by: size) {
        let some = indices[first..<Swift.min(first + size, indices.count)]
        for (k, found) in zip(some, try answer(some.map { self[$0] })) { answers[k] = found }
      }
    }
    return answers.compactMap { $0 }
  }
}

extension JSON {
  /// A number, or the word for one that is not finite.
  var wordValue: Double? {
    switch self {
    case .number(let value): value
    case .text("nan"): .nan
    case .text("inf"): .infinity
    case .text("-inf"): -.infinity
    default: nil
    }
  }
}
