import LossDefinitions

/// What became of a mutant under the vectors of its loss in one number format.
public struct MutantOutcome: Sendable {
  public let loss: String
  public let format: Format
  public let mutant: Mutant
  /// The place at which it is rejected: a case, a batch or a reduction.
  public let rejectedAt: String?
  /// Of one that is not rejected: how far the farthest number that it may come to is from the truth,
  /// as a part of the way to the band's end; below 1 no program that carries it out is rejected.
  public var reach: Double?
  /// The items that this was looked for at: the vectors and further draws of their strata.
  public var searched = 0

  /// Whether no input can show it.
  public var isEquivalent: Bool { rejectedAt == nil && mutant.equivalence[format] != nil }
}

extension VectorFile {
  /// What becomes of every mutant of the loss.
  ///
  /// - Parameter draws: draws of each stratum at which to look for what is not rejected.
  public func outcomes(searching draws: Int) -> [MutantOutcome] {
    guard let entry = catalog.first(where: { $0.loss.name == loss }) else { return [] }
    let mutants = Mutant.all(of: entry)
    return sections.flatMap { section in
      var outcomes = mutants.filter { $0.formats.contains(section.format) }.map { mutant in
        MutantOutcome(
          loss: loss, format: section.format, mutant: mutant,
          rejectedAt: section.rejection(
            of: mutant, entry.loss.family, targetIsIndex: targetIsIndex))
      }
      let open = outcomes.indices.filter {
        outcomes[$0].rejectedAt == nil && outcomes[$0].mutant.isOfItems
      }
      guard !open.isEmpty else { return outcomes }
      let generator = VectorGenerator(entry, section.format, seed: seed)
      let more = generator.strata.flatMap { stratum in
        (0..<draws).compactMap { generator.vector(stratum, $0) }
      }
      for k in open {
        let mutant = outcomes[k].mutant
        outcomes[k].reach = (section.cases + more).map { $0.reach(of: mutant, section.format) }
          .max()
        outcomes[k].searched = section.cases.count + more.count
      }
      return outcomes
    }
  }
}

extension VectorSection {
  /// The first place at which a mutant is rejected.
  func rejection(of mutant: Mutant, _ family: Family, targetIsIndex: Bool) -> String? {
    switch mutant.fault {
    case .formula, .answer:
      return cases.first { $0.rejects(mutant, format) }?.id
    case .batch(let change):
      let byID = Dictionary(cases.map { ($0.id, $0) }) { first, _ in first }
      for (k, ids) in batches.enumerated() {
        let members = ids.compactMap { byID[$0] }
        var answers = members.compactMap { $0.rightAnswer(format) }
        guard answers.count == ids.count else { continue }
        change(&answers)
        for (member, answer) in zip(members, answers) where !member.holds(answer) {
          return "batch \(k), \(member.id)"
        }
      }
      return nil
    case .reduction:
      let byID = Dictionary(cases.map { ($0.id, $0) }) { first, _ in first }
      for (k, reduction) in reductions.enumerated() {
        let members = reduction.cases.compactMap { byID[$0] }
        if reduction.rejects(mutant, members, format, family, targetIsIndex) {
          return "reduction \(k)"
        }
      }
      return nil
    }
  }

}

extension VectorCase {
  /// Whether a mutant's answer is outside a band.
  func rejects(_ mutant: Mutant, _ format: Format) -> Bool {
    switch mutant.fault {
    case .formula(let answer, _):
      return answer(item, format).map { !holds($0) } ?? false
    case .answer(let change):
      guard var numbers = rightAnswer(format) else { return false }
      change(&numbers)
      return !holds(numbers)
    case .batch, .reduction: return false
    }
  }

  /// How far a mutant gets from the truth, in parts of the way to a band's end: the farthest number
  /// that any program which carries out its formula may come to.
  func reach(of mutant: Mutant, _ format: Format) -> Double {
    switch mutant.fault {
    case .formula(_, let bounds):
      guard let numbers = bounds(item, format) else { return 0 }
      return reach(numbers.map(\.lower.value), numbers.map(\.upper.value))
    case .answer(let change):
      guard var numbers = rightAnswer(format) else { return 0 }
      change(&numbers)
      return reach(numbers, numbers)
    case .batch, .reduction: return 0
    }
  }

  private func reach(_ lower: [Double], _ upper: [Double]) -> Double {
    bands.indices.reduce(0) { reach, k in
      guard let band = bands[k] else { return reach }
      return Swift.max(reach, band.reach(lower[k]), band.reach(upper[k]))
    }
  }

  /// Whether no number of an answer is outside its band.
  public func holds(_ answer: [Double]) -> Bool {
    zip(bands, answer).allSatisfy { band, number in band?.accurate.contains(number) ?? true }
  }
}

extension VectorReduction {
  /// Whether right answers of its cases, reduced wrongly, are outside a band.
  func rejects(
    _ mutant: Mutant, _ cases: [VectorCase], _ format: Format, _ family: Family,
    _ targetIsIndex: Bool
  ) -> Bool {
    guard case .reduction(let reduce) = mutant.fault else { return false }
    let answers = cases.compactMap { $0.rightAnswer(format) }
    guard answers.count == self.cases.count else { return false }
    let positives = cases.count { $0.isPositive(family, targetIsIndex: targetIsIndex) }
    return !holds(reduce(answers, positives))
  }

  func holds(_ reduced: Mutant.Reduced) -> Bool {
    sum.accurate.contains(reduced.sum) && mean.accurate.contains(reduced.mean)
      && zip(gradient, reduced.gradient).allSatisfy { bands, numbers in
        zip(bands, numbers).allSatisfy { $0.accurate.contains($1) }
      }
  }
}

extension VectorBand {
  /// The distance to the truth as a part of that of the band's end.
  func reach(_ number: Double) -> Double {
    if number == truth { return 0 }
    let end = number < truth ? accurate.lowerBound : accurate.upperBound
    return (number - truth) / (end - truth)
  }
}

// MARK: - The score

/// How many mutants some vectors reject.
public struct MutationScore: Sendable {
  public let outcomes: [MutantOutcome]

  /// - Parameter draws: draws of each stratum at which to look for what is not rejected.
  public init(_ files: [VectorFile], searching draws: Int = 8) {
    outcomes = VectorFolder.concurrently(files.count) {
      files[$0].outcomes(searching: draws)
    }.flatMap { $0 }
  }

  /// Those that are not rejected, though some input shows them.
  public var survivors: [MutantOutcome] {
    outcomes.filter { $0.rejectedAt == nil && !$0.isEquivalent }
  }

  public var equivalents: [MutantOutcome] { outcomes.filter(\.isEquivalent) }
}
