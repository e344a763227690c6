/*
 * The DSDT of the PC board: what QEMU's pc has, at the same addresses. The C preprocessor and iasl compile it when the program is built. The
 * processors are in an SSDT that src/loader/acpi_tables.c writes. ACPI specification 6.4.
 */
DefinitionBlock ("", "DSDT", 2, "UNDERV", "UVISORPC", 1)
{
    /* PCI memory below 4 GB, first byte and size: src/loader/acpi_tables.c puts in the true ones, as double words. */
    Name (MEMB, 0xC0000000)
    Name (MEML, 0x3EC00000)

    Name (\_S5, Package () { Zero, Zero, Zero, Zero })

    Scope (\_GPE)
    {
        Name (_HID, "ACPI0006")
    }

    Scope (\_SB)
    {
        Device (PCI0)
        {
            Name (_HID, EisaId ("PNP0A03"))
            Name (_UID, Zero)

            Name (CRES, ResourceTemplate ()
            {
                WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode, 0, 0, 0xFF, 0, 0x100)
                IO (Decode16, 0x0CF8, 0x0CF8, 1, 8)
                WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange, 0, 0x0000, 0x0CF7, 0, 0x0CF8)
                WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange, 0, 0x0D00, 0xFFFF, 0, 0xF300)
                DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, Cacheable, ReadWrite, 0, 0x000A0000, 0x000BFFFF, 0,
                    0x00020000)
                DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, NonCacheable, ReadWrite, 0, 0xC0000000, 0xFEBFFFFF, 0,
                    0x3EC00000, , , PCIM)
            })
            Method (_CRS, 0, Serialized)
            {
                CreateDWordField (CRES, ^PCIM._MIN, PMIN)
                CreateDWordField (CRES, ^PCIM._MAX, PMAX)
                CreateDWordField (CRES, ^PCIM._LEN, PLEN)
                PMIN = \MEMB
                PLEN = \MEML
                PMAX = \MEMB + (\MEML - 1)
                Return (CRES)
            }

            /* Pin p of slot s is on link (s + p - 1) mod 4; the power management function has the SCI. */
#define PINS(slot, a, b, c, d) \
                Package () { slot, 0, a, 0 }, Package () { slot, 1, b, 0 }, Package () { slot, 2, c, 0 }, Package () { slot, 3, d, 0 }
#define FOUR(s0, s1, s2, s3) \
                PINS (s0, LNKD, LNKA, LNKB, LNKC), PINS (s1, LNKA, LNKB, LNKC, LNKD), \
                PINS (s2, LNKB, LNKC, LNKD, LNKA), PINS (s3, LNKC, LNKD, LNKA, LNKB)
            Name (_PRT, Package ()
            {
                PINS (0x0000FFFF, LNKD, LNKA, LNKB, LNKC), PINS (0x0001FFFF, LNKS, LNKB, LNKC, LNKD),
                PINS (0x0002FFFF, LNKB, LNKC, LNKD, LNKA), PINS (0x0003FFFF, LNKC, LNKD, LNKA, LNKB),
                FOUR (0x0004FFFF, 0x0005FFFF, 0x0006FFFF, 0x0007FFFF), FOUR (0x0008FFFF, 0x0009FFFF, 0x000AFFFF, 0x000BFFFF),
                FOUR (0x000CFFFF, 0x000DFFFF, 0x000EFFFF, 0x000FFFFF), FOUR (0x0010FFFF, 0x0011FFFF, 0x0012FFFF, 0x0013FFFF),
                FOUR (0x0014FFFF, 0x0015FFFF, 0x0016FFFF, 0x0017FFFF), FOUR (0x0018FFFF, 0x0019FFFF, 0x001AFFFF, 0x001BFFFF),
                FOUR (0x001CFFFF, 0x001DFFFF, 0x001EFFFF, 0x001FFFFF)
            })

            Device (ISA)
            {
                Name (_ADR, 0x00010000)
                OperationRegion (PIRQ, PCI_Config, 0x60, 4)

                Device (RTC)
                {
                    Name (_HID, EisaId ("PNP0B00"))
                    Name (_CRS, ResourceTemplate () { IO (Decode16, 0x70, 0x70, 1, 8) IRQNoFlags () { 8 } })
                }
                Device (KBD)
                {
                    Name (_HID, EisaId ("PNP0303"))
                    Name (_CRS, ResourceTemplate ()
                    {
                        IO (Decode16, 0x60, 0x60, 1, 1)
                        IO (Decode16, 0x64, 0x64, 1, 1)
                        IRQNoFlags () { 1 }
                    })
                }
                Device (MOU)
                {
                    Name (_HID, EisaId ("PNP0F13"))
                    Name (_CRS, ResourceTemplate () { IRQNoFlags () { 12 } })
                }
                Device (COM1)
                {
                    Name (_HID, EisaId ("PNP0501"))
                    Name (_UID, 1)
                    Name (_CRS, ResourceTemplate () { IO (Decode16, 0x03F8, 0x03F8, 0, 8) IRQNoFlags () { 4 } })
                }
                Device (COM2)
                {
                    Name (_HID, EisaId ("PNP0501"))
                    Name (_UID, 2)
                    Name (_CRS, ResourceTemplate () { IO (Decode16, 0x02F8, 0x02F8, 0, 8) IRQNoFlags () { 3 } })
                }
            }

            Device (PM)
            {
                Name (_ADR, 0x00010003)
            }
        }

        /* The interrupt links: registers 60h-63h of the ISA bridge, bit 7 is off. */
        Field (PCI0.ISA.PIRQ, ByteAcc, NoLock, Preserve)
        {
            PRQ0, 8,
            PRQ1, 8,
            PRQ2, 8,
            PRQ3, 8
        }
        Method (LSTA, 1, NotSerialized)
        {
            If (Arg0 & 0x80)
            {
                Return (0x09)
            }
            Return (0x0B)
        }
        Name (LRES, ResourceTemplate () { Interrupt (ResourceConsumer, Level, ActiveHigh, Shared, , , LINT) { 0 } })
        Method (LCRS, 1, Serialized)
        {
            CreateDWordField (LRES, ^LINT._INT, IRQN)
            IRQN = Zero
            If (!(Arg0 & 0x80))
            {
                IRQN = Arg0
            }
            Return (LRES)
        }
        Name (LPRS, ResourceTemplate () { Interrupt (ResourceConsumer, Level, ActiveHigh, Shared) { 5, 10, 11 } })

#define LINK(name, uid, reg) \
        Device (name) \
        { \
            Name (_HID, EisaId ("PNP0C0F")) \
            Name (_UID, uid) \
            Method (_STA, 0, NotSerialized) { Return (LSTA (reg)) } \
            Method (_DIS, 0, NotSerialized) { reg |= 0x80 } \
            Method (_CRS, 0, Serialized) { Return (LCRS (reg)) } \
            Method (_PRS, 0, NotSerialized) { Return (LPRS) } \
            Method (_SRS, 1, NotSerialized) \
            { \
                CreateDWordField (Arg0, 0x05, PIRN) \
                reg = PIRN \
            } \
        }
        LINK (LNKA, 0, PRQ0)
        LINK (LNKB, 1, PRQ1)
        LINK (LNKC, 2, PRQ2)
        LINK (LNKD, 3, PRQ3)

        /* The SCI, which nothing can move. */
        Device (LNKS)
        {
            Name (_HID, EisaId ("PNP0C0F"))
            Name (_UID, 4)
            Name (_PRS, ResourceTemplate () { Interrupt (ResourceConsumer, Level, ActiveHigh, Shared) { 9 } })
            Method (_STA, 0, NotSerialized) { Return (0x0B) }
            Method (_CRS, 0, NotSerialized) { Return (_PRS) }
            Method (_DIS, 0, NotSerialized) { }
            Method (_SRS, 1, NotSerialized) { }
        }

        Device (HPET)
        {
            Name (_HID, EisaId ("PNP0103"))
            Name (_UID, Zero)
            Name (_CRS, ResourceTemplate () { Memory32Fixed (ReadOnly, 0xFED00000, 0x00000400) })
        }

        Device (FWCF)
        {
            Name (_HID, "QEMU0002")
            Name (_STA, 0x0B)
            Name (_CRS, ResourceTemplate () { IO (Decode16, 0x0510, 0x0510, 1, 0x0C) })
        }
    }
}
