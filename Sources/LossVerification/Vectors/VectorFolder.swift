import Dispatch
import Foundation
import LossDefinitions

/// The folder of the vectors, `Spec/Vectors`: a file a loss, their digests, and what was retired.
public struct VectorFolder: Sendable {
  /// Where the shipped vectors begin.
  public static let seed: UInt64 = 1
  /// The draws of each stratum of the larger set, of which only digests are kept.
  public static let draws = 16

  let url: URL

  /// A folder that cannot be read or written.
  public struct Unusable: Error, CustomStringConvertible {
    public let description: String
  }

  public init(_ path: String) throws {
    url = URL(fileURLWithPath: path, isDirectory: true)
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder),
      isFolder.boolValue
    else { throw Unusable(description: "\(path) is no folder") }
  }

  static let digests = "digests.json"
  static let retirements = "retired.json"
  /// Files that are no vectors.
  private static let others: Set = [digests, retirements, "schema.json"]

  func text(_ name: String) -> String? {
    try? String(contentsOf: url.appendingPathComponent(name), encoding: .utf8)
  }

  /// The vectors of a loss; nil where there is no file.
  public func file(_ loss: String) throws -> VectorFile? {
    guard let text = text("\(loss).json") else { return nil }
    do { return try VectorFile(text) } catch {
      throw Unusable(description: "\(loss).json: \(error)")
    }
  }

  /// Names of files of vectors.
  var names: [String] {
    let all = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
    return all.filter { $0.hasSuffix(".json") && !Self.others.contains($0) }.sorted()
  }

  // MARK: Retired cases

  /// A case that is no more, and why; its name is not given again.
  struct Retired: Equatable {
    var id: String
    var revision: Int
    var reason: String
  }

  func retired() throws -> [Retired] {
    guard let text = text(Self.retirements) else { return [] }
    let fault = Unusable(
      description: "\(Self.retirements): expected {\"retired\": [{\"id\", \"rev\", \"reason\"}]}")
    guard let json = try? JSON(text), case .list(let entries)? = json["retired"] else {
      throw fault
    }
    return try entries.map { entry in
      guard case .text(let id)? = entry["id"], case .number(let revision)? = entry["rev"],
        case .text(let reason)? = entry["reason"], let whole = Int(exactly: revision)
      else { throw fault }
      return Retired(id: id, revision: whole, reason: reason)
    }
  }

  private func text(of retired: [Retired]) -> String {
    let entries = retired.map { entry in
      JSON.object([
        "id": .text(entry.id), "rev": .number(Double(entry.revision)),
        "reason": .text(entry.reason),
      ]).description
    }
    return "{\"retired\":[\n" + entries.joined(separator: ",\n") + "\n]}\n"
  }

  // MARK: Writing

  /// Brings the folder up to date with the catalog.
  ///
  /// - Parameter reason: why cases are retired that the generator does not make any more.
  /// - Returns: what has changed, a line each.
  /// - Throws: `Unusable`, before anything is written, where cases would be retired without a reason.
  public func write(reason: String?) throws -> [String] {
    var gone = try retired()
    let retiredIDs = Set(gone.map(\.id))
    let before = try catalog.map { try file($0.loss.name) }
    let files = Self.concurrently(catalog.count) { k in
      VectorFile.chosen(
        of: catalog[k], seed: Self.seed, before: before[k], retired: retiredIDs)
    }
    var changes: [String] = []
    for (old, new) in zip(before, files) {
      let ids = Set(new.cases.map(\.id))
      for vector in old?.cases ?? [] where !ids.contains(vector.id) {
        guard let reason else {
          throw Unusable(description: "\(vector.id) would be retired; say why by --reason")
        }
        gone.append(Retired(id: vector.id, revision: vector.revision, reason: reason))
        changes.append("retired \(vector.id)")
      }
      changes += Self.changes(old, new)
    }
    for file in files { try write(file.text, "\(file.loss).json") }
    try write(text(of: gone), Self.retirements)
    try write(digests(of: files), Self.digests)
    return changes
  }

  private static func changes(_ old: VectorFile?, _ new: VectorFile) -> [String] {
    let known = Dictionary(old?.cases.map { ($0.id, $0.revision) } ?? []) { first, _ in first }
    return new.cases.compactMap { vector in
      guard let revision = known[vector.id] else { return "added \(vector.id)" }
      return revision == vector.revision
        ? nil : "\(vector.id) has other bands: revision \(vector.revision)"
    }
  }

  private func write(_ text: String, _ name: String) throws {
    do {
      try Data(text.utf8).write(to: url.appendingPathComponent(name))
    } catch { throw Unusable(description: "\(name) cannot be written: \(error)") }
  }

  /// Writes every draw of every stratum, up to a number, of the losses named.
  public func writeLarger(_ losses: Set<String>, draws: Int, seed: UInt64) throws {
    let entries = catalog.filter { losses.isEmpty || losses.contains($0.loss.name) }
    let texts = Self.concurrently(entries.count) { k in
      VectorFile.larger(of: entries[k], draws: draws, seed: seed).text
    }
    for (entry, text) in zip(entries, texts) { try write(text, "\(entry.loss.name).json") }
  }

  // MARK: Digests

  /// The text of the digests: of each file, and of each loss's part of the larger set.
  func digests(of files: [VectorFile]) -> String {
    let larger = Self.concurrently(catalog.count) { k in
      SHA256.hexadecimal(
        VectorFile.larger(of: catalog[k], draws: Self.draws, seed: Self.seed).text)
    }
    func lines(_ digests: [(String, String)]) -> String {
      digests.map { "\"\($0)\":\"\($1)\"" }.joined(separator: ",\n")
    }
    return """
      {"generator":{"name":"\(VectorFile.generator)","version":\(VectorFile.version)},
      "files":{
      \(lines(files.map { ("\($0.loss).json", SHA256.hexadecimal($0.text)) }))
      },
      "larger":{"draws":\(Self.draws),"seed":\(Self.seed),"digests":{
      \(lines(zip(catalog, larger).map { ("\($0.loss.name).json", $1) }))
      }}}

      """
  }

  /// Results of some calls, on all cores, in order.
  static func concurrently<R: Sendable>(
    _ count: Int, _ body: @Sendable (Int) -> R
  ) -> [R] {
    let results = Locked([R?](repeating: nil, count: count))
    DispatchQueue.concurrentPerform(iterations: count) { k in
      let result = body(k)
      results.update { $0[k] = result }
    }
    return results.value.compactMap { $0 }
  }
}
