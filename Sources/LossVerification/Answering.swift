import LossDefinitions

/// Answers golden cases, a JSON line each, in the dialects of the frameworks.
///
/// A case names a peer and its function, the arguments and the inputs; the answer holds the value and
/// the derivatives of its sum, or why there is none:
///
///     {"id": ID, "value": {"shape": [...], "data": [...]}, "grads": {NAME: {...}}}
///     {"id": ID, "grads": {}, "outputs": {NAME: {...}}}    a function that prepares targets
///     {"id": ID, "unsupported": WHY}    a function or argument that no dialect knows
///     {"id": ID, "rejected": WHY}       inputs outside the function's domain
///     {"line": NUMBER, "error": WHY}    a line that is no case
///
/// Numbers that are not finite are the strings "nan", "inf", "-inf", both ways.
public struct Answering: Sendable {
  private let evaluator: any Evaluator
  private let dialects: [String: [Dialect]]

  public init(
    with evaluator: any Evaluator, dialects: [Dialect] = definitions.flatMap { $0.dialects }
  ) {
    self.evaluator = evaluator
    self.dialects = Dictionary(grouping: dialects) { "\($0.peer)/\($0.function)" }
  }

  /// The answer to line `number`, counted from 1.
  public func answer(_ line: String, number: Int) -> String {
    let fields: JSON
    do {
      fields = try JSON(line)
    } catch {
      return complaint(number, error.description)
    }
    guard case .object = fields else {
      return complaint(number, "a case must be an object; this is \(fields.kind)")
    }
    switch fields["id"] {
    case .text, .number: break
    case nil: return complaint(number, "the case has no id")
    case let id?: return complaint(number, "the id must be a string; this is \(id.kind)")
    }
    var answer: [String: JSON] = ["id": fields["id"] ?? .null]
    do {
      let result = try self.answer(fields)
      if let value = result.value { answer["value"] = JSON(value) }
      answer["grads"] = .object(result.gradients.mapValues { JSON($0) })
      if !result.outputs.isEmpty {
        answer["outputs"] = .object(result.outputs.mapValues { JSON($0) })
      }
    } catch Refusal.unsupported(let why) {
      answer["unsupported"] = .text(why)
    } catch Refusal.rejected(let why) {
      answer["rejected"] = .text(why)
    } catch {
      answer["rejected"] = .text("\(error)")
    }
    return JSON.object(answer).description
  }

  private func complaint(_ line: Int, _ why: String) -> String {
    JSON.object(["line": .number(Double(line)), "error": .text(why)]).description
  }

  private func answer(_ fields: JSON) throws -> Answer {
    guard let peer = try fields.text("peer")?.split(separator: " ").first else {
      throw Refusal.rejected("\"peer\" is missing")
    }
    guard let function = try fields.text("loss") else {
      throw Refusal.rejected("\"loss\" is missing")
    }
    guard let known = dialects["\(peer)/\(function)"] else {
      throw Refusal.unsupported("function \(peer)/\(function)")
    }
    let call = try Call(
      parameters: fields.members("params").mapValues { try Parameter($0) },
      inputs: Dictionary(
        uniqueKeysWithValues: fields.members("inputs").map { ($0, try Tensor($1, named: $0)) }),
      reduction: fields.text("reduction") ?? "none")
    return try answer(call, in: known)
  }

  /// A function may have several dialects, each for some of its arguments.
  private func answer(_ call: Call, in dialects: [Dialect]) throws -> Answer {
    for dialect in dialects.dropLast() {
      do {
        return try dialect.answer(call, with: evaluator)
      } catch Refusal.unsupported {}
    }
    return try dialects[dialects.count - 1].answer(call, with: evaluator)
  }
}

// MARK: - Reading a case

extension JSON {
  fileprivate func text(_ key: String) throws -> String? {
    switch self[key] {
    case nil: return nil
    case .text(let text): return text
    case let other?: throw Refusal.rejected("\"\(key)\" must be a string; this is \(other.kind)")
    }
  }

  fileprivate func members(_ key: String) throws -> [String: JSON] {
    switch self[key] {
    case nil: return [:]
    case .object(let members): return members
    case let other?: throw Refusal.rejected("\"\(key)\" must be an object; this is \(other.kind)")
    }
  }
}

extension JSON {
  /// The value, for a message.
  fileprivate var brief: String {
    switch self {
    case .number(let value) where !value.isFinite: "beyond the range of Double"
    case .list, .object: kind
    default: description
    }
  }
}

extension Parameter {
  fileprivate init(_ json: JSON) throws {
    switch json {
    case .null: self = .null
    case .flag(let value): self = .flag(value)
    case .number(let value):
      guard value.isFinite else { throw Refusal.rejected("a parameter is \(json.brief)") }
      self = .number(value)
    case .text("nan"): self = .number(.nan)
    case .text("inf"): self = .number(.infinity)
    case .text("-inf"): self = .number(-.infinity)
    case .text(let text): self = .text(text)
    case .list(let values): self = .list(try values.map { try Parameter($0) })
    case .object(let members): self = .group(try members.mapValues { try Parameter($0) })
    }
  }
}

extension Tensor {
  private enum Kind: String {
    case float64, float32, int64, int32, bool
  }

  /// The extents of an empty tensor may multiply to this, the zeros apart.
  private static let emptyLimit = 1 << 20

  fileprivate init(_ json: JSON, named name: String) throws {
    guard case .object = json else {
      throw Refusal.rejected("input \"\(name)\" must be an object; this is \(json.kind)")
    }
    let shape = try Self.shape(json["shape"], named: name)
    guard case .list(let entries)? = json["data"] else {
      throw Refusal.rejected("the data of \"\(name)\" must be an array")
    }
    let count = try Self.count(shape, named: name)
    guard entries.count == count else {
      throw Refusal.rejected(
        "\"\(name)\" has \(entries.count) entries; its shape \(shape) expects \(count)")
    }
    let kind = try Self.kind(json["dtype"], named: name)
    var data: [Double] = []
    data.reserveCapacity(count)
    for (i, entry) in entries.enumerated() {
      guard let value = Self.number(entry, kind) else {
        throw Refusal.rejected(
          "entry \(i) of \"\(name)\" must be of dtype \(kind); it is \(entry.brief)")
      }
      data.append(value)
    }
    self.init(shape, data)
  }

  private static func shape(_ json: JSON?, named name: String) throws -> [Int] {
    guard case .list(let extents)? = json else {
      throw Refusal.rejected("the shape of \"\(name)\" must be an array")
    }
    return try extents.map { extent in
      guard case .number(let value) = extent, let whole = Int(exactly: value), whole >= 0 else {
        throw Refusal.rejected("the shape of \"\(name)\" holds \(extent.brief), which is no extent")
      }
      return whole
    }
  }

  private static func count(_ shape: [Int], named name: String) throws -> Int {
    var product = 1
    for extent in shape where extent > 0 {
      let (next, overflow) = product.multipliedReportingOverflow(by: extent)
      guard !overflow else { throw Refusal.rejected("the shape of \"\(name)\" is too large") }
      product = next
    }
    guard shape.contains(0) else { return product }
    guard product <= emptyLimit else {
      throw Refusal.rejected("the shape of \"\(name)\" is too large for an empty tensor")
    }
    return 0
  }

  private static func kind(_ json: JSON?, named name: String) throws -> Kind {
    guard let json else { return .float64 }
    guard case .text(let word) = json, let kind = Kind(rawValue: word) else {
      throw Refusal.rejected("\"\(name)\" has the unknown dtype \(json.brief)")
    }
    return kind
  }

  private static func number(_ json: JSON, _ kind: Kind) -> Double? {
    switch (json, kind) {
    case (.number(let value), .float64), (.number(let value), .float32):
      return value.isFinite ? value : nil
    case (.text("nan"), .float64), (.text("nan"), .float32): return .nan
    case (.text("inf"), .float64), (.text("inf"), .float32): return .infinity
    case (.text("-inf"), .float64), (.text("-inf"), .float32): return -.infinity
    case (.number(let value), .int64), (.number(let value), .int32):
      return Int(exactly: value) == nil ? nil : value
    case (.number(let value), .bool): return value == 0 || value == 1 ? value : nil
    case (.flag(let value), .bool): return value ? 1 : 0
    default: return nil
    }
  }
}

extension JSON {
  init(_ tensor: Tensor) {
    self = .object([
      "shape": .list(tensor.shape.map { .number(Double($0)) }),
      "data": .list(tensor.data.map { .word($0) }),
    ])
  }
}
