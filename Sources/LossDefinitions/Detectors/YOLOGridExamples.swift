// The scenes that the chapters work out: 32 x 32 pixels, 3 classes.

extension Scene where Truths == [ImageTruths] {
  /// Two images, heads of 1 x 1 and 2 x 2 cells with three slots; one prediction near a truth.
  static var smallGrids: Scene {
    let coarse = pattern([2, 1, 1, 24], 23, 9, 47, 23, 20)
    var fine = pattern([2, 2, 2, 24], 29, 5, 59, 29, 25)
    fine.data.replaceSubrange(0..<5, with: [-0.25, -0.25, 0.3, -0.1, 0.8])
    return Scene(
      [coarse, fine],
      [
        ImageTruths(
          [Box(x1: 4, y1: 6, x2: 28, y2: 30), Box(x1: 1, y1: 2, x2: 14, y2: 13)], labels: [1, 2]),
        ImageTruths([Box(x1: 10, y1: 3, x2: 27, y2: 23)], labels: [0]),
      ])
  }
}

extension Tensor {
  /// Images × rows × columns × channels as images × channels × rows × columns.
  var withChannelsFirst: Tensor {
    var moved = Tensor(zeros: [shape[0], shape[3], shape[1], shape[2]])
    for image in 0..<shape[0] {
      for row in 0..<shape[1] {
        for column in 0..<shape[2] {
          for channel in 0..<shape[3] {
            moved.data[moved.index(image, channel, row, column)] = self[image, row, column, channel]
          }
        }
      }
    }
    return moved
  }
}

extension YOLOv3 {
  public static var worked: [WorkedScene<Self>] {
    var rescoring = small
    rescoring.rescoreConfidence = true
    var swapped = Scene.smallGrids.images[0]
    swapped.truths = [
      ImageTruths(
        [Box(x1: 4, y1: 6, x2: 28, y2: 30), Box(x1: 3, y1: 4, x2: 29, y2: 31)], labels: [1, 2])
    ]
    return [
      WorkedScene("worked", small, .smallGrids),
      WorkedScene("rescored", rescoring, .smallGrids),
      WorkedScene("one cell", small, swapped),
      WorkedScene("one cell, the other order", small, swapped.withReversedTruths),
    ]
  }
}

extension Darknet {
  public static var worked: [WorkedScene<Self>] {
    let small = YOLOv3.small
    let both = Self(priors: small.priors, masks: small.masks, strides: small.strides)
    let image = Scene.smallGrids.images[0]
    return [
      WorkedScene("worked", both, Scene(image.heads.map(\.withChannelsFirst), image.truths))
    ]
      + small.masks.indices.map { l in
        var layer = both
        (layer.masks, layer.strides) = ([small.masks[l]], [small.strides[l]])
        return WorkedScene(
          "layer \(l)", layer, Scene([image.heads[l].withChannelsFirst], image.truths))
      }
  }
}

extension YOLOv3GIoU {
  public static var worked: [WorkedScene<Self>] {
    var medium = pattern([1, 2, 2, 24], 29, 6, 67, 33, 22)
    let first = medium.index(0, 1, 0, 16)
    medium.data.replaceSubrange(first..<first + 5, with: [3.2, -1.9, -0.15, -0.1, 0.4])
    let heads = [
      pattern([1, 4, 4, 24], 23, 4, 61, 30, 22), medium, pattern([1, 1, 1, 24], 31, 8, 71, 35, 22),
    ]
    let corner = [ImageTruths([Box(x1: 29, y1: 30, x2: 32, y2: 32)], labels: [2])]
    return [
      WorkedScene(
        "worked", Self(anchors: small),
        Scene(
          heads,
          [
            ImageTruths(
              [Box(x1: 4, y1: 6, x2: 28, y2: 30), Box(x1: 1, y1: 2, x2: 14, y2: 13)],
              labels: [1, 2])
          ])),
      WorkedScene("fallback", Self(anchors: small), Scene(heads, corner)),
      WorkedScene(
        "fallback in its own scale", Self(anchors: small, clipsFallbackToLastScale: false),
        Scene(heads, corner)),
    ]
  }
}

extension YOLOv3Squared {
  public static var worked: [WorkedScene<Self>] {
    [
      WorkedScene("worked", Self(small: false), .smallGrids),
      WorkedScene("rescored", Self(small: true), .smallGrids),
    ]
  }
}
