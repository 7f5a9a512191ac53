namespace Detection.Inference.Pictures;

/// <summary>The bytes are those of another picture than is meant. Neither the picture nor the device is at fault.</summary>
public sealed class WrongPictureException() : Exception("The bytes are not those of the picture that was requested.");
