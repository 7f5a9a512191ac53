#:package SkiaSharp@4.155.0
#:package SkiaSharp.NativeAssets.Linux.NoDependencies@4.155.0
// Draws the test picture that tries devices: dotnet run tests/pictures/known-picture.cs -- src/Inference/Pictures/known-picture.jpg
// Simple shapes that detectors trained on photographs find something in: a stop sign, a clock, a traffic light, a ball, on rough ground.
using SkiaSharp;

const int Width = 416, Height = 312;
using var bitmap = new SKBitmap(Width, Height);
using var canvas = new SKCanvas(bitmap);
using var paint = new SKPaint { IsAntialias = true };

using (var sky = SKShader.CreateLinearGradient(new(0, 0), new(0, 200), [new(120, 170, 230), new(215, 230, 245)], SKShaderTileMode.Clamp))
{
    paint.Shader = sky;
    canvas.DrawRect(0, 0, Width, 200, paint);
    paint.Shader = null;
}

// The ground, from a linear congruential generator, so that the picture is the same wherever it is drawn.
uint seed = 1;
for (var y = 200; y < Height; y += 3)
{
    for (var x = 0; x < Width; x += 3)
    {
        seed = (seed * 1664525) + 1013904223;
        var level = (byte)(90 + (seed >> 27));
        Fill(level, level, (byte)(level - 12));
        canvas.DrawRect(x, y, 3, 3, paint);
    }
}

// Stop sign.
Fill(120, 120, 125);
canvas.DrawRect(96, 120, 8, 130, paint);
Octagon(100, 90, 62, new(250, 250, 250));
Octagon(100, 90, 57, new(190, 20, 30));
Fill(250, 250, 250);
canvas.DrawRect(64, 80, 14, 5, paint);
canvas.DrawRect(64, 80, 5, 12, paint);
canvas.DrawRect(64, 88, 14, 5, paint);
canvas.DrawRect(73, 88, 5, 12, paint);
canvas.DrawRect(64, 97, 14, 5, paint);
canvas.DrawRect(82, 80, 16, 5, paint);
canvas.DrawRect(88, 80, 5, 22, paint);
Ring(109, 91, 8, 5);
canvas.DrawRect(122, 80, 5, 22, paint);
Ring(129, 86, 5, 4);

// Clock.
Fill(60, 45, 30);
canvas.DrawCircle(220, 100, 46, paint);
Fill(245, 245, 235);
canvas.DrawCircle(220, 100, 40, paint);
Fill(20, 20, 20);
for (var hour = 0; hour < 12; hour++)
{
    canvas.Save();
    canvas.RotateDegrees(30 * hour, 220, 100);
    canvas.DrawRect(218, 63, 4, hour % 3 == 0 ? 10 : 6, paint);
    canvas.Restore();
}

Hand(300, 22, 5);
Hand(60, 32, 3);
canvas.DrawCircle(220, 100, 4, paint);

// Traffic light.
Fill(40, 40, 42);
canvas.DrawRect(332, 150, 8, 110, paint);
canvas.DrawRoundRect(312, 40, 48, 116, 6, 6, paint);
Lamp(60, new(235, 40, 30));
Lamp(97, new(90, 75, 20));
Lamp(134, new(20, 70, 40));

// Ball.
using (var light = SKShader.CreateRadialGradient(new(205, 240), 48, [new(255, 190, 110), new(225, 105, 25), new(120, 45, 5)], SKShaderTileMode.Clamp))
{
    paint.Shader = light;
    canvas.DrawCircle(216, 254, 34, paint);
    paint.Shader = null;
}

canvas.Flush();
using var jpeg = bitmap.Encode(SKEncodedImageFormat.Jpeg, 85);
File.WriteAllBytes(args[0], jpeg.ToArray());

void Fill(byte r, byte g, byte b)
{
    paint.Style = SKPaintStyle.Fill;
    paint.Color = new SKColor(r, g, b);
}

void Octagon(float x, float y, float radius, SKColor color)
{
    using var builder = new SKPath();
    for (var i = 0; i < 8; i++)
    {
        var angle = (float)(Math.PI * ((2 * i) + 1) / 8);
        var point = new SKPoint(x + (radius * MathF.Cos(angle)), y + (radius * MathF.Sin(angle)));
        if (i == 0)
        {
            builder.MoveTo(point);
        }
        else
        {
            builder.LineTo(point);
        }
    }

    builder.Close();
    paint.Color = color;
    canvas.DrawPath(builder, paint);
}

void Ring(float x, float y, float radius, float width)
{
    paint.Style = SKPaintStyle.Stroke;
    paint.StrokeWidth = width;
    canvas.DrawCircle(x, y, radius, paint);
    paint.Style = SKPaintStyle.Fill;
}

void Hand(float degrees, float length, float width)
{
    canvas.Save();
    canvas.RotateDegrees(degrees, 220, 100);
    canvas.DrawRect(220 - (width / 2), 100 - length, width, length, paint);
    canvas.Restore();
}

void Lamp(float y, SKColor color)
{
    paint.Color = color;
    canvas.DrawCircle(336, y, 15, paint);
}
