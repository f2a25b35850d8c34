import Dispatch
import LossDefinitions

/// Chooses the cases of a loss: a few of each stratum, and those that reject mutants.
struct VectorSelection {
  let entry: any CatalogEntry
  let generator: VectorGenerator
  /// Cases of each stratum that are taken whatever they reject.
  let few: Int
  /// Cases that were chosen before, and stay as long as the generator makes them.
  let kept: [VectorCase]
  /// The names of cases that must not come back.
  let retired: Set<String>
  /// Cases of each stratum that are looked at.
  static let pool = 32
  /// Draws of each stratum at most.
  static let draws = 800
  /// How far to search where none of those rejects a mutant.
  static let far = 160
  /// By how many cases a mutant is rejected, where as many of those looked at do.
  static let wanted = 3
  /// The longest row.
  static let longest = 128

  init(
    _ entry: any CatalogEntry, _ format: Format, seed: UInt64, kept: [VectorCase],
    retired: Set<String>
  ) {
    self.entry = entry
    self.kept = kept
    self.retired = retired
    generator = VectorGenerator(entry, format, seed: seed)
    few =
      switch entry.loss.family {
      case .regions: 1
      case .classes: 2
      default: format == .f32 ? 2 : 1
      }
  }

  /// The chosen cases, by strata and draws.
  func cases() -> [VectorCase] {
    var candidates: [VectorCase] = []
    var chosen: Set<Int> = []
    for stratum in generator.strata {
      let old = kept.filter { $0.stratum == stratum }
        .compactMap { old in
          generator.vector(stratum, old.draw).flatMap { $0.id == old.id ? $0 : nil }
        }
      var seen = retired.union(old.map(\.id))
      let new = items(stratum).map { generator.vector(stratum, $0.draw, $0.item) }
        .filter { seen.insert($0.id).inserted && $0.bands.contains { $0 != nil } }
      chosen.formUnion(old.indices.map { candidates.count + $0 })
      candidates += old
      // Those first that judge every number.
      let order = new.indices.sorted { (new[$0].openCount, $0) < (new[$1].openCount, $1) }
      chosen.formUnion(
        order.prefix(Swift.max(0, few - old.count)).map { candidates.count + $0 })
      candidates += new
    }
    let (sets, unrejected) = rejections(of: candidates)
    for mutant in unrejected {
      guard let found = search(for: mutant) else { continue }
      chosen.insert(candidates.count)
      candidates.append(found)
    }
    for rejecting in sets {
      let missing = Self.wanted - rejecting.count { chosen.contains($0) }
      let others = rejecting.filter { !chosen.contains($0) }
      chosen.formUnion(others.prefix(Swift.max(0, missing)))
    }
    let order = generator.strata.enumerated()
    let rank = Dictionary(order.map { ($1, $0) }) { first, _ in first }
    return candidates.indices.filter { chosen.contains($0) }.map { candidates[$0] }
      .sorted { (rank[$0.stratum] ?? 0, $0.draw) < (rank[$1.stratum] ?? 0, $1.draw) }
  }

  /// For each mutant the candidates that reject it, the hardest mutants first; of candidates those
  /// first that reject most of the hard ones. And the mutants that none rejects.
  private func rejections(of candidates: [VectorCase]) -> (sets: [[Int]], unrejected: [Mutant]) {
    let format = generator.format
    let mutants = Mutant.all(of: entry).filter { $0.formats.contains(format) }
    let sets = mutants.map { mutant in
      candidates.indices.filter { candidates[$0].rejects(mutant, format) }
    }
    let hard = sets.filter { $0.count < candidates.count / 2 }
    let worth = candidates.indices.map { k in hard.count { $0.contains(k) } }
    let order = sets.map { $0.sorted { (worth[$1], $0) < (worth[$0], $1) } }
      .sorted { $0.count < $1.count }
    return (order, zip(mutants, sets).filter { $1.isEmpty && $0.isOfItems }.map(\.0))
  }

  /// A case that rejects a mutant, further along the strata.
  private func search(for mutant: Mutant) -> VectorCase? {
    guard mutant.equivalence(in: generator.format).isEmpty else { return nil }
    for draw in Self.pool..<Self.far {
      for stratum in generator.strata {
        guard let item = generator.item(stratum, draw), item.prediction.count <= 12 else {
          continue
        }
        let vector = generator.vector(stratum, draw, item)
        if vector.rejects(mutant, generator.format), !retired.contains(vector.id) { return vector }
      }
    }
    return nil
  }

  /// Items of a stratum, of rows those of a common width where the stratum has any.
  private func items(_ stratum: String) -> [(draw: Int, item: Item)] {
    let width: Int? =
      switch entry.loss.family {
      case .classes: 5
      case .regions: 9
      default: nil
      }
    var found: [(draw: Int, item: Item)] = []
    var others: [(draw: Int, item: Item)] = []
    for draw in 0..<(width == nil ? Self.pool : Self.draws) where found.count < Self.pool {
      guard let item = generator.item(stratum, draw) else { continue }
      if width == nil || item.prediction.count == width {
        found.append((draw, item))
      } else if item.prediction.count <= Self.longest {
        others.append((draw, item))
      }
    }
    guard found.isEmpty else { return found }
    let shortest = others.sorted {
      ($0.item.prediction.count, $0.draw) < ($1.item.prediction.count, $1.draw)
    }
    return Array(shortest.prefix(2))
  }
}

extension VectorCase {
  /// Whether another case has the same bands.
  func expects(_ other: VectorCase) -> Bool {
    flags == other.flags && value == other.value && gradient == other.gradient
  }

  fileprivate var openCount: Int { bands.count { $0 == nil } }
}

extension VectorFile {
  /// Chooses and computes the vectors of a loss; cases of an older file stay, and their revisions
  /// rise where their bands have changed.
  static func chosen(
    of entry: any CatalogEntry, seed: UInt64, before: VectorFile?, retired: Set<String>
  ) -> VectorFile {
    file(of: entry, seed: seed) { format in
      let kept = before?.sections.first { $0.format == format }?.cases ?? []
      let known = Dictionary(kept.map { ($0.id, $0) }) { first, _ in first }
      return VectorSelection(entry, format, seed: seed, kept: kept, retired: retired).cases()
        .map { vector in
          guard let old = known[vector.id] else { return vector }
          var vector = vector
          vector.revision = old.revision + (vector.expects(old) ? 0 : 1)
          return vector
        }
    }
  }

  /// This file as the generator makes it again, with its choice of draws and its revisions; nil of a
  /// case that is not made any more.
  func remade(of entry: any CatalogEntry) -> VectorFile {
    Self.file(of: entry, seed: seed) { format in
      let generator = VectorGenerator(entry, format, seed: seed)
      let cases = sections.first { $0.format == format }?.cases ?? []
      return cases.compactMap { old in
        var vector = generator.vector(old.stratum, old.draw)
        vector?.revision = old.revision
        return vector
      }
    }
  }

  /// Every draw of every stratum up to a number, in single precision: a larger set.
  static func larger(of entry: any CatalogEntry, draws: Int, seed: UInt64) -> VectorFile {
    file(of: entry, seed: seed) { format in
      guard format == .f32 else { return [] }
      let generator = VectorGenerator(entry, format, seed: seed)
      return generator.strata.flatMap { stratum in
        (0..<draws).compactMap { draw in
          generator.item(stratum, draw).flatMap { item in
            item.prediction.count <= VectorSelection.longest
              ? generator.vector(stratum, draw, item) : nil
          }
        }
      }
    }
  }

  /// The file of given cases.
  static func file(
    of entry: any CatalogEntry, seed: UInt64, cases: (Format) -> [VectorCase]
  ) -> VectorFile {
    var strata: [String: String] = [:]
    let sections = [Format.f32, .f64].map { format in
      let generator = VectorGenerator(entry, format, seed: seed)
      for name in generator.strata {
        strata[name] = VectorStrata.hunts(name, generator.subject)
      }
      let cases = cases(format)
      return VectorSection(
        format: format, parameters: generator.subject.selection.parameters, cases: cases,
        batches: generator.batches(cases), reductions: generator.reductions(cases))
    }
    let isRow = entry.loss is any RowLoss.Type
    let item = sections.lazy.flatMap(\.cases).first?.item
    return VectorFile(
      loss: entry.loss.name, seed: seed, width: isRow ? nil : item?.prediction.count,
      targetWidth: isRow ? nil : item?.target.count, targetIsIndex: entry.loss.targetIsIndex,
      strata: strata, sections: sections)
  }
}
