extension ObjectiveLaw where O.Decisions == YOLOv8.Decisions {
  /// The head's numbers of anchors in the background have no gradient; (B, channels, A).
  static func noBackgroundGradient(_ head: String) -> Self {
    Self("no gradient in \"\(head)\" of the background") { objective, scene, answers in
      guard let index = objective.heads.firstIndex(of: head) else { return .holds }
      let decisions = objective.decide(scene.heads, scene.truths)
      let slopes = try answers.gradients(objective, scene)[index]
      for b in 0..<slopes.shape[0] {
        let foreground = Set(decisions[b].map(\.anchor))
        for a in 0..<slopes.shape[2] where !foreground.contains(a) {
          for k in 0..<slopes.shape[1] where slopes[b, k, a] != 0 {
            return .refuted("image \(b), anchor \(a), channel \(k): \(slopes[b, k, a])")
          }
        }
      }
      return .holds
    }
  }

  /// The first two heads' objective has the same terms of the same names.
  static func agreesWithDetection(
    _ detection: @escaping @Sendable (O) -> YOLOv8,
    _ truths: @escaping @Sendable (O.Truths) -> YOLOv8.Truths
  ) -> Self {
    Self("box, class and distribution terms are detection's") { objective, scene, answers in
      let plain = detection(objective)
      let here = try answers.terms(objective, scene)
      let there = try answers.terms(
        plain, Scene(Array(scene.heads[..<2]), truths(scene.truths)))
      for (name, term) in zip(plain.terms, there) {
        guard let index = objective.terms.firstIndex(of: name) else { continue }
        switch Verdict.equal(here[index], term) {
        case .holds: continue
        case .refuted(let why): return .refuted("\(name): \(why)")
        case .undecided: return .undecided
        }
      }
      return .holds
    }
  }

  /// A term is at most a bound.
  static func bounded(
    _ term: String, _ words: String, _ bound: @escaping @Sendable (O, Int) -> Double
  )
    -> Self
  {
    Self("\(term) term ≤ \(words)") { objective, scene, answers in
      guard let index = objective.terms.firstIndex(of: term) else { return .holds }
      let most = bound(objective, scene.heads[0].shape[0])
      return .atLeast(
        Interval(most * (1 + 0x1p-20)), try answers.terms(objective, scene)[index])
    }
  }
}

extension YOLOv8 {
  /// B, if the terms are multiplied by it.
  func factor(_ images: Int) -> Double { scalesWithBatch ? Double(images) : 1 }

  /// The releases' rules, as the members of the family try them.
  static var releases: [(label: String, YOLOv8)] {
    var first = Self()
    first.smallTruths = .firstStride
    var before = Self()
    before.smallTruths = .none
    return [("8.4.0 to 8.4.80", first), ("before 8.4.0", before)]
  }

  /// Strata of the family, and the scenes that they begin with.
  static let familyStrata = [
    "plain", "one level", "crowded", "tiny", "border", "duplicate", "saturated", "few bins",
    "one bin", "empty",
  ]
}

extension Scene {
  /// The images in the opposite order, with the truths as given.
  func imagesReversed(_ truths: Truths) -> Self {
    Scene(heads.map { Tensor.images($0.images.reversed(), like: $0) }, truths)
  }
}

extension YOLOv8.Truths {
  /// Image b becomes the b-th from the end.
  func imagesReversed(_ images: Int) -> Self {
    var moved = self
    for i in moved.rows.indices { moved.rows[i].image = images - 1 - moved.rows[i].image }
    return moved
  }
}
