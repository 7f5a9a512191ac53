namespace Detection.Inference.Pictures;

/// <summary>The bytes belong to another picture than requested. Neither the picture nor the device is at fault.</summary>
public sealed class WrongPictureException() : Exception("The bytes are not those of the picture that was requested.");
