import LossDefinitions

extension VectorFolder {
  /// Makes everything again and compares it, byte for byte.
  ///
  /// - Parameter older: an earlier state of the folder, against which revisions are checked.
  /// - Returns: what differs or breaks a rule, a line each.
  public func findings(older: VectorFolder? = nil) throws -> [String] {
    let files = try catalog.map { try file($0.loss.name) }
    let texts = catalog.map { text("\($0.loss.name).json") }
    var findings = Self.concurrently(catalog.count) { k -> [String] in
      guard let file = files[k], let text = texts[k] else {
        return ["\(catalog[k].loss.name).json is missing"]
      }
      return file.differences(text, file.remade(of: catalog[k]))
    }.flatMap { $0 }

    let known = Set(catalog.map { "\($0.loss.name).json" })
    findings += names.filter { !known.contains($0) }.map { "\($0): no loss has this name" }
    let present = files.compactMap { $0 }
    findings += try broken(present, since: older)
    if findings.isEmpty, text(Self.digests) != digests(of: present) {
      findings.append(
        "\(Self.digests) does not hold the digests of the files or of the larger set")
    }
    return findings
  }

  /// Rules that files break: names are given once, and never again; as successors of others, a case
  /// stays or is retired, and other bands have a higher revision.
  func broken(_ files: [VectorFile], since older: VectorFolder? = nil) throws -> [String] {
    let cases = files.flatMap(\.cases)
    let retired = Set(try retired().map(\.id))
    let findings =
      Dictionary(grouping: cases) { $0.id }.filter { $0.value.count > 1 }.keys.sorted()
      .map { "\($0) is the name of several cases" }
      + cases.filter { retired.contains($0.id) }.map { "\($0.id) was retired" }
    guard let older else { return findings }
    let now = Dictionary(cases.map { ($0.id, $0) }) { first, _ in first }
    let before = try older.names.compactMap { try older.file(String($0.dropLast(".json".count))) }
    return findings
      + before.flatMap(\.cases).compactMap { old in
        guard let new = now[old.id] else {
          return retired.contains(old.id) ? nil : "\(old.id) is gone, and not retired"
        }
        if new.expects(old) {
          return new.revision < old.revision ? "\(old.id) has a lower revision" : nil
        }
        return new.revision > old.revision ? nil : "\(old.id) has other bands, but no new revision"
      }
  }
}

extension VectorFile {
  /// Where this file, read from a text, is not as it is made again.
  func differences(_ text: String, _ again: VectorFile) -> [String] {
    if text == again.text { return [] }
    var differences: [String] = []
    for section in sections {
      let made = again.sections.first { $0.format == section.format }?.cases ?? []
      let byID = Dictionary(made.map { ($0.id, $0) }) { first, _ in first }
      for vector in section.cases where byID[vector.id] != vector {
        let place = "\(loss).json: \(vector.id)"
        guard let other = byID[vector.id] else {
          differences.append("\(place): draw \(vector.draw) of its stratum is another item")
          continue
        }
        let numbers = zip(vector.bands, other.bands).enumerated().filter { $1.0 != $1.1 }
          .map { $0.offset == 0 ? "value" : "gradient \($0.offset - 1)" }
        let what = numbers.isEmpty ? "flags" : "the band of \(numbers.joined(separator: ", "))"
        differences.append("\(place): \(what) differs")
      }
    }
    return differences.isEmpty
      ? ["\(loss).json: what is around its cases, or their order, differs"] : differences
  }
}
