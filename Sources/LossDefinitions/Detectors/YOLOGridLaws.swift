extension GridObjective {
  /// Whether two truths claim one slot, so that their order matters.
  func sharesSlots(_ scene: Scene<Truths>) -> Bool {
    func owned(_ truths: Truths) -> Int {
      decide(scene.heads, truths).map(\.positives.count).reduce(0, +)
    }
    var alone = 0
    for (image, truths) in scene.truths.enumerated() {
      for (box, label) in zip(truths.boxes, truths.labels) {
        var one = scene.truths.map { _ in ImageTruths() }
        one[image] = ImageTruths([box], labels: [label])
        alone += owned(one)
      }
    }
    return owned(scene.truths) != alone
  }
}

extension ObjectiveLaw where O: GridObjective {
  static var anyOrderOfTruths: Self {
    .invariant(under: "another order of truths that share no slot") { objective, scene in
      objective.sharesSlots(scene) ? nil : scene.withReversedTruths
    }
  }

  /// The terms of a batch are the mean, or the sum, of its images' own.
  static var averagedOverImages: Self {
    let word = O.isMeanOverImages ? "mean" : "sum"
    return Self("a batch's terms are the \(word) of its images'") { objective, scene, answers in
      guard scene.truths.count > 1 else { return .holds }
      let whole = try answers.terms(objective, scene)
      var sums = whole.map { _ in 0 as Interval<DoubleDouble> }
      for image in scene.images {
        let own = try answers.terms(objective, image)
        for k in sums.indices { sums[k] = sums[k] + own[k] }
      }
      let divisor = Interval<DoubleDouble>(O.isMeanOverImages ? Double(scene.truths.count) : 1)
      for (name, (a, b)) in zip(objective.terms, zip(whole, sums)) {
        switch Verdict.equal(a, b / divisor) {
        case .holds: continue
        case .refuted(let why): return .refuted("\(name): \(why)")
        case .undecided: return .undecided
        }
      }
      return .holds
    }
  }

  /// Slots without truth have a gradient in their objectness alone; those left out have none.
  static var silentWithoutTruth: Self {
    Self("slots without truth have no gradient but the objectness's, those left out have none") {
      objective, scene, answers in
      let labels = objective.decide(scene.heads, scene.truths)
      for (l, gradient) in try answers.gradients(objective, scene).enumerated() {
        let grid = objective.grid(l, gradient.shape)
        for slot in 0..<grid.count where labels[l].owner[slot] < 0 {
          for entry in 0..<grid.entries where entry != 4 || labels[l].isOverlapping[slot] {
            let slope = gradient[grid.offset(slot, entry)]
            guard slope == 0 else {
              return .refuted("head \(l), slot \(slot), entry \(entry): \(slope)")
            }
          }
        }
      }
      return .holds
    }
  }

  /// A cross-entropy with a target t is at least H(t): the offsets' term is not 0 at its best.
  static var offsetEntropy: Self {
    Self("xy ≥ Σ (2 − w h) (H(x) + H(y)), the entropies of the centres' places in their cells") {
      objective, scene, answers in
      var least: Interval<DoubleDouble> = 0
      let labels = objective.decide(scene.heads, scene.truths)
      for (l, head) in objective.gridHeads(scene.heads).enumerated() {
        for positive in labels[l].positives {
          let target = objective.target(positive, scene.truths, head.grid, head.level)
          let share = target.scale / objective.divisor(head.grid)
          least = least + Interval(share) * (.entropy(of: target.x) + .entropy(of: target.y))
        }
      }
      return .atLeast(try answers.terms(objective, scene)[0], least)
    }
  }
}

extension Interval<DoubleDouble> {
  /// H(t) = −t ln t − (1 − t) ln(1 − t).
  static func entropy(of t: Double) -> Self {
    let p = Self(t)
    return .weighted(p, -.log(p)) + .weighted(1 - p, -.log(1 - p))
  }
}
