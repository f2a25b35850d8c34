import LossDefinitions

/// A file that is no vector file: where, and what was expected.
struct VectorFault: Error, CustomStringConvertible {
  var description: String
  init(_ description: String) { self.description = description }
}

extension VectorFile {
  /// - Throws: a fault that names the place and the expectation.
  public init(_ text: String) throws {
    let json: JSON
    do { json = try JSON(text) } catch { throw VectorFault("no JSON: \(error)") }
    let top = Members(json, "")
    guard try top.integer("format") == Self.format else {
      throw VectorFault("\"format\" is not \(Self.format)")
    }
    loss = try top.text("loss")
    let generator = Members(try top["generator"], "generator")
    guard try generator.integer("version") == Self.version else {
      throw VectorFault("made by another version of the generator than \(Self.version)")
    }
    seed = UInt64(try generator.integer("seed"))
    let shapes = Members(try top["shapes"], "shapes")
    width = try? shapes.integer("prediction")
    targetWidth = try? shapes.integer("target")
    targetIsIndex = try shapes["target"] == .text("index")
    guard case .object(let strata) = try top["strata"] else {
      throw VectorFault("\"strata\" is no object")
    }
    self.strata = try strata.mapValues {
      guard case .text(let hunts) = $0 else { throw VectorFault("a stratum hunts no string") }
      return hunts
    }
    let isIndex = targetIsIndex
    sections = try top.list("sections").map { try VectorSection($0, isIndex) }
  }
}

extension VectorSection {
  fileprivate init(_ json: JSON, _ targetIsIndex: Bool) throws {
    let members = Members(json, "sections")
    guard let format = Format(rawValue: try members.text("dtype")) else {
      throw VectorFault("\"dtype\" is no number format")
    }
    self.format = format
    guard case .object(let parameters) = try members["parameters"] else {
      throw VectorFault("\"parameters\" is no object")
    }
    self.parameters = try Dictionary(
      uniqueKeysWithValues: parameters.map { name, value in
        (name, try Members(value, name).numbers("bits", format, 1)[0])
      })
    cases = try members.list("cases").enumerated().map { k, json in
      try VectorCase(json, format, targetIsIndex, "\(format.rawValue), case \(k)")
    }
    batches = try members.list("batches").map { try Members.texts($0, "batches") }
    reductions = try members.list("reductions").map { try VectorReduction($0) }
  }
}

extension VectorCase {
  fileprivate init(
    _ json: JSON, _ format: Format, _ targetIsIndex: Bool, _ place: String
  ) throws {
    let members = Members(json, place)
    id = try members.text("id")
    revision = try members.integer("rev")
    stratum = try members.text("stratum")
    draw = try members.integer("draw")
    flags = try Members.texts(members["flags"], place)
    let prediction = try members.numbers("prediction", format)
    item = Item(
      prediction,
      targetIsIndex
        ? [Double(try members.integer("target"))] : try members.numbers("target", format))
    value = try VectorBand(members["value"], "\(place), value")
    gradient = try members.list("gradient").map { try VectorBand($0, "\(place), gradient") }
    guard gradient.count == prediction.count else {
      throw VectorFault(
        "\(place): \"gradient\" has \(gradient.count) bands; expected \(prediction.count)")
    }
  }
}

extension VectorBand {
  /// Nil of null.
  fileprivate init?(_ json: JSON, _ place: String) throws {
    if json == .null { return nil }
    guard case .text(let text) = json, let n = PackedNumbers.numbers(text, .f64), n.count == 5,
      zip(n, n.dropFirst()).allSatisfy({ $0 <= $1 })
    else { throw VectorFault("\(place): expected null or the bits of five ascending f64") }
    self.init(truth: n[2], tight: n[1]...n[3], accurate: n[0]...n[4])
  }

  fileprivate static func required(_ json: JSON, _ place: String) throws -> VectorBand {
    guard let band = try VectorBand(json, place) else { throw VectorFault("\(place) is null") }
    return band
  }
}

extension VectorReduction {
  fileprivate init(_ json: JSON) throws {
    let members = Members(json, "reductions")
    cases = try Members.texts(members["cases"], "reductions")
    sum = try .required(members["sum"], "reductions, sum")
    mean = try .required(members["mean"], "reductions, mean")
    gradient = try members.list("gradient").map { row in
      guard case .list(let bands) = row else { throw VectorFault("reductions: no list of bands") }
      return try bands.map { try .required($0, "reductions, gradient") }
    }
  }
}

/// The members of an object, with the place that a complaint names.
private struct Members {
  let json: JSON
  let place: String

  init(_ json: JSON, _ place: String) { (self.json, self.place) = (json, place) }

  private func fault(_ name: String, _ expected: String) -> VectorFault {
    VectorFault("\(place.isEmpty ? "" : place + ": ")\"\(name)\" is not \(expected)")
  }

  subscript(_ name: String) -> JSON {
    get throws {
      guard let member = json[name] else { throw fault(name, "there") }
      return member
    }
  }

  func text(_ name: String) throws -> String {
    guard case .text(let text) = try self[name] else { throw fault(name, "a string") }
    return text
  }

  func integer(_ name: String) throws -> Int {
    guard case .number(let x) = try self[name], let integer = Int(exactly: x), integer >= 0 else {
      throw fault(name, "a whole number")
    }
    return integer
  }

  func list(_ name: String) throws -> [JSON] {
    guard case .list(let entries) = try self[name] else { throw fault(name, "an array") }
    return entries
  }

  func numbers(_ name: String, _ format: Format, _ count: Int? = nil) throws -> [Double] {
    guard let numbers = PackedNumbers.numbers(try text(name), format),
      numbers.count == count ?? numbers.count
    else {
      let many = count.map { "\($0) " } ?? ""
      throw fault(name, "the hexadecimal digits of \(many)\(format.rawValue) numbers")
    }
    return numbers
  }

  static func texts(_ json: JSON, _ place: String) throws -> [String] {
    guard case .list(let entries) = json else { throw VectorFault("\(place): not an array") }
    return try entries.map {
      guard case .text(let text) = $0 else { throw VectorFault("\(place): not a string") }
      return text
    }
  }
}
