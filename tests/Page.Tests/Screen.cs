using PuppeteerSharp;

namespace Detection.Page.Tests;

/// <summary>The screen that shows the page.</summary>
internal sealed record Screen(int Width, int Height, double Scale, bool Touch)
{
    public static Screen Desktop { get; } = new(1280, 860, 1, Touch: false);

    public static Screen Phone { get; } = new(390, 844, 3, Touch: true);

    /// <summary>The narrowest screen that pages support.</summary>
    public static Screen Narrow { get; } = new(320, 640, 1, Touch: true);

    public static Screen PhoneOnItsSide { get; } = new(667, 375, 2, Touch: true);

    public ViewPortOptions ToViewPort() => new() { Width = Width, Height = Height, DeviceScaleFactor = Scale, IsMobile = Touch, HasTouch = Touch };
}
